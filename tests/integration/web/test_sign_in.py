"""Signing in, and staying signed in: what many at once, the wrong ones and other sites can do about it."""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

from twisted.internet.defer import gatherResults
from twisted.internet.threads import deferToThread

from lars.web.auth.secrets import form_key, new_secret
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import PASSWORD, Site

OpenBrowser = Callable[..., Browser]


def sign_in(site: Site, name: str, password: str = PASSWORD) -> int:
    """The status that a sign-in is answered: 303 if it is right."""
    secret = new_secret()
    form = urlencode({"name": name, "password": password, "form_key": form_key(secret)})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"lars_session={secret}"}
    with closing(HTTPConnection(site.base.removeprefix("http://"), timeout=60)) as connection:
        connection.request("POST", "/sign-in", form, headers)
        return connection.getresponse().status


async def test_thirty_right_sign_ins_at_once_succeed(site: Site) -> None:
    await site.up()
    for name in ("lea", "vic"):
        site.add_user(name, "viewer")
    attempts = [deferToThread(sign_in, site, name) for name in ("lea", "vic") for _ in range(15)]
    assert Counter(await gatherResults(attempts)) == {303: 30}


async def test_wrong_sign_ins_are_limited_logged_and_audited_and_keep_nobody_else_out(site: Site) -> None:
    await site.up()
    for name in ("lea", "vic"):
        site.add_user(name, "viewer")
    attempts = [deferToThread(sign_in, site, "lea", f"wrong {n}") for n in range(12)]
    assert Counter(await gatherResults(attempts)) == {403: 5, 429: 7}
    assert await deferToThread(sign_in, site, "vic") == 303
    assert site.stack.log().count("sign-in of 'lea' from 127.0.0.1 failed") == 1
    assert "wrong" not in site.stack.log()


async def test_link_from_another_site_finds_a_user_signed_in(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "admin")
    assert await deferToThread(sign_in, site, "lea", "wrong") == 403
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.reads("lea")
    page = f'<a href="{site.base}/audit">to the audit</a>'
    for _ in range(2):
        browser.driver.get(f"data:text/html,{quote(page)}")
        browser.one("a").click()
        browser.reads("user lea: failed sign-ins from 127.0.0.1: 1")
    browser.go(f"{site.base}/")
    assert "Sign out" in browser.text
