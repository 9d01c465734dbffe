"""The page Account in a browser: sessions, tokens with limits, and what an admin does for others."""

from collections.abc import Callable

from selenium.webdriver.common.by import By

from tests.integration.web.browser import Browser
from tests.integration.web.conftest import PASSWORD, Site
from tests.integration.web.test_api import Api

OpenBrowser = Callable[..., Browser]


async def test_user_is_signed_out_everywhere_by_themselves_and_by_an_admin(
    site: Site, open_browser: OpenBrowser
) -> None:
    await site.up()
    site.add_user("lea", "viewer")
    site.add_user("ada", "admin")
    here, there = open_browser(), open_browser(language="zh-CN")
    site.sign_in(here, "lea")
    here.reads("Overview")
    there.go(f"{site.base}/sign-in")
    there.fill(name="lea", password=PASSWORD)
    there.one("main form button").click()
    there.reads("总览")
    here.go(f"{site.base}/account")
    here.reads("Where you are signed in")
    assert here.text.count("127.0.0.1") == 2
    assert "this one" in here.text
    here.driver.find_element(By.CSS_SELECTOR, 'form[action$="/end"] .danger').click()
    here.reads("The browser is signed out.")
    there.go(f"{site.base}/account")
    assert "/sign-in?next=" in there.driver.current_url
    here.press("Sign out everywhere")
    here.reads("You are signed out.")
    site.sign_in(here, "lea")
    here.reads("Overview")
    there.go(f"{site.base}/sign-in")
    there.fill(name="ada", password=PASSWORD)
    there.one("main form button").click()
    there.reads("总览")
    there.go(f"{site.base}/users")
    there.driver.find_element(By.CSS_SELECTOR, 'form[action$="/users/lea/sign-out"] button').click()
    there.reads("已结束的会话: 1。")
    here.go(f"{site.base}/account")
    assert "/sign-in?next=" in here.driver.current_url


async def test_token_of_a_node_registers_within_its_modules_and_shows_its_last_use(
    site: Site, open_browser: OpenBrowser
) -> None:
    await site.up()
    site.add_user("lea", "admin")
    site.commands.ok("route", "add", "1", "1", "10.0.0.9:80")
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.reads("Overview")
    browser.go(f"{site.base}/users")
    browser.fill(name="team", password=PASSWORD, again=PASSWORD)
    browser.driver.find_element(By.CSS_SELECTOR, 'form[action$="/users"] [name="ranges"]').send_keys("1-")
    browser.press("Add")
    browser.reads("Write modids such as 1 or 1-99")
    browser.errors()  # the browser's console reports that page's status
    browser.go(f"{site.base}/account")
    browser.fill(token="node", ranges="1.1", days="30")
    browser.choose(role="registers nodes")
    browser.press("Make a token")
    node = Api(site, browser.one("code.token").text)
    assert (await node("PUT", "/modules/1/1/hosts/10.0.0.1:80?ttl=30"))[0] == 201
    assert (await node("PUT", "/modules/1/1/hosts/10.0.0.1:80?ttl=30"))[0] == 204
    for method, path in (
        ("PUT", "/modules/1/1/hosts/10.0.0.2:80"),
        ("PUT", "/modules/1/2/hosts/10.0.0.1:80?ttl=30"),
        ("PUT", "/modules/1/1/hosts/10.0.0.9:80?ttl=30"),
        ("DELETE", "/modules/1/1/hosts/10.0.0.9:80"),
        ("DELETE", "/modules/1/1"),
        ("GET", "/modules"),
    ):
        status, body, _ = await node(method, path)
        assert status == 403, (method, path, body)
        assert "\n" not in body["detail"]
    assert (await node("DELETE", "/modules/1/1/hosts/10.0.0.1:80"))[0] == 204

    def last_use() -> bool:
        browser.driver.refresh()
        return " ago" in browser.one('section[aria-labelledby="tokens-title"] tbody tr').text

    browser.go(f"{site.base}/account")
    browser.until(last_use, "the last use of the token")
    assert browser.errors() == []
    assert browser.violations() == []
