"""The console in a real browser: what operators do, and what must not be possible."""

from collections.abc import Callable
from pathlib import Path

from selenium.webdriver.common.by import By

from lars.db.routes import RouteEdit
from lars.host_record import Drain, HostChange
from lars.route import ModuleId, parse_host
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import PASSWORD, Site

OpenBrowser = Callable[..., Browser]

A, B, C = "127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"

PAGES = (
    "/",
    "/modules",
    "/modules?q=nothing",
    "/modules?show=troubled&sort=rate&way=down",
    "/modules/new",
    "/modules/1/1",
    "/modules/1/1?span=7d",
    "/modules/9/9",
    "/host-list/1/1",
    "/modules/1/1/names",
    f"/hosts/1/1/{A}",
    f"/hosts/1/1/{B}",
    "/machines/127.0.0.1",
    "/machines/127.0.0.9",
    "/settings/1/1",
    "/agents",
    "/alarms",
    "/audit",
    "/audit?modid=1&cmdid=1",
    "/versions",
    "/transfer",
    "/account",
    "/users",
)


async def test_first_admin_by_link_and_a_host_that_an_agent_receives(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    browser = open_browser()
    browser.go(f"{site.base}/modules")
    assert "Nobody can sign in yet" in browser.text
    browser.errors()  # the browser's console reports that page's status
    link = site.setup_link()
    browser.go(link)
    browser.fill(name="admin", password="short", again="short")
    browser.press("Set the password and sign in")
    browser.reads("A password has 10 to 200 characters.")
    browser.fill(name="admin", password=PASSWORD, again=PASSWORD)
    browser.press("Set the password and sign in")
    browser.reads("There are no modules yet")
    browser.go(f"{site.base}/modules/new")
    browser.fill(modid="1", cmdid="x", hosts=f"{A}\nexample.org:80")
    browser.press("Add")
    browser.reads("Write a number from 0 to 2147483647.")
    browser.reads("example.org:80: not an IPv4 address")
    assert browser.one("#hosts").get_attribute("value") == f"{A}\nexample.org:80", "what was typed is kept"
    browser.fill(cmdid="1", hosts=f"{A}, {B}")
    browser.press("Add")
    browser.reads("Hosts added: 2.")
    browser.until(lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the agent to know the module")
    known = {f"{row['ip']}:{row['port']}" for row in site.commands.json("get-route", "1", "1")}
    assert known == {A, B}
    browser.go(link)
    assert "this link has been used" in browser.text
    other = open_browser()
    other.go(link)
    assert "this link has been used" in other.text


async def test_failing_node_turns_ejected_on_the_page_without_a_reload(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "viewer")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/modules/1/1")
    browser.driver.execute_script("window.loadedOnce = true")
    browser.until(lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the agent to know the module")
    site.commands.ok("simulate", "1", "1", "--err-rate", "10", "--count", "80", "--interval", "1")
    browser.until(
        lambda: browser.one("tr[data-host] .state").get_attribute("data-state") == "ejected", "the state to change"
    )
    browser.until(lambda: "ejected by 1 of 1 callers" in browser.one("tr[data-host]").text, "by how many callers")
    assert browser.driver.execute_script("return window.loadedOnce") is True
    browser.go(f"{site.base}/")
    browser.reads("(1, 1)")
    assert "1 / 1" in browser.one('[data-live-rows="trouble"]').text
    assert browser.errors() == []


async def test_second_of_two_edits_of_a_module_is_a_conflict(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/modules/1/1")
    browser.driver.execute_script("document.body.dataset.parts = ''; stream.close()")
    site.commands.ok("route", "add", "1", "1", B)
    browser.driver.find_element(By.ID, "replace").clear()
    browser.driver.find_element(By.ID, "replace").send_keys(f"{A}\n{C}")
    browser.press("Save the list")
    browser.reads("Somebody else has edited this module since.")
    assert browser.one("#replace").get_attribute("value") == f"{A}\n{C}", "what was typed is kept"
    assert B in browser.text, "the current state is shown"
    assert {r["port"] for r in site.commands.json("route", "list", "1", "1")} == {9001, 9002}
    browser.press("Save the list")
    browser.reads("The list of hosts is saved.")
    assert {r["port"] for r in site.commands.json("route", "list", "1", "1")} == {9001, 9003}


async def test_import_is_shown_before_it_is_made(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/transfer")
    browser.fill(text="modid,cmdid,ip,port\n1,1,127.0.0.1,9002\n2,1,10.0.0.1,80\n2,1,nowhere,80\n")
    browser.press("Show what would change")
    browser.reads("line 4: 'nowhere' is not an IPv4 address")
    browser.fill(text="modid,cmdid,ip,port\n1,1,127.0.0.1,9002\n2,1,10.0.0.1,80\n")
    browser.one("#whole").click()
    browser.press("Show what would change")
    browser.reads("Modules in the file: 2; of these would change: 2. Hosts added: 2, removed: 1.")
    assert len(site.commands.json("route", "list")) == 1, "nothing is changed by a preview"
    site.commands.ok("route", "add", "1", "1", C)
    browser.press("Make these changes")
    browser.reads("Routes have been edited since")
    browser.press("Make these changes")
    browser.reads("Modules changed by the import: 2.")
    hosts = {f"{r['modid']} {r['ip']}:{r['port']}" for r in site.commands.json("route", "list")}
    assert hosts == {f"1 {B}", "2 10.0.0.1:80"}


async def test_chart_opens_on_its_newest_part_on_a_phone(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "viewer")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser(phone=True)
    site.sign_in(browser, "lea")
    browser.until(lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the agent to know the module")
    site.commands.ok("simulate", "1", "1", "--count", "20", "--interval", "1")

    def opened_with_a_chart() -> bool:
        browser.go(f"{site.base}/modules/1/1")
        return bool(browser.driver.find_elements(By.CSS_SELECTOR, ".plot"))

    browser.until(opened_with_a_chart, "the calls")
    left, right, width = browser.driver.execute_script(
        "const p = document.querySelector('.plot'); return [p.scrollLeft, p.clientWidth, p.scrollWidth]"
    )
    assert left > 0
    assert abs(left + right - width) <= 1


async def test_viewer_and_forged_form_are_refused(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("vic", "viewer")
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", A)
    viewer, editor = open_browser(), open_browser()
    site.sign_in(viewer, "vic")
    viewer.go(f"{site.base}/modules/1/1")
    assert "Remove" not in viewer.text
    key = viewer.one('input[name="form_key"]').get_attribute("value")
    assert post(viewer, "/modules/1/1/add", f"form_key={key}&hosts={B}") == 403
    viewer.go(f"{site.base}/users")
    assert "Your role may not do this" in viewer.text
    site.sign_in(editor, "lea")
    editor.go(f"{site.base}/modules/1/1")
    seen = editor.one('input[name="seen"]').get_attribute("value")
    assert post(editor, "/modules/1/1/add", f"form_key={key}&seen={seen}&hosts={B}") == 403
    assert post(editor, "/modules/1/1/add", f"seen={seen}&hosts={B}") == 403
    assert len(site.commands.json("route", "list")) == 1
    own = editor.one('input[name="form_key"]').get_attribute("value")
    assert post(editor, "/modules/1/1/add", f"form_key={own}&seen={seen}&hosts={B}") == 200, "the same with its key"
    assert len(site.commands.json("route", "list")) == 2


def post(browser: Browser, path: str, body: str) -> int:
    """The status of a form that is sent by a script with the browser's cookies."""
    status: int = browser.driver.execute_async_script(
        "const done = arguments[2]; fetch(arguments[0], {method: 'POST', body: arguments[1], "
        "headers: {'Content-Type': 'application/x-www-form-urlencoded'}}).then(r => done(r.status))",
        path,
        body,
    )
    return status


async def test_script_in_a_name_is_shown_as_text(site: Site, open_browser: OpenBrowser) -> None:
    await site.up()
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", A)
    browser = open_browser()
    site.sign_in(browser, "lea")
    evil = "<script>document.title='owned'</script>"
    browser.go(f"{site.base}/modules/1/1/names")
    browser.fill(name=evil)
    browser.press("Save")
    browser.reads("The name is saved.")
    for path in ("/modules/1/1", "/modules", "/audit"):
        browser.go(site.base + path)
        assert evil in browser.text
        assert browser.driver.title != "owned"
    assert browser.errors() == []


async def drain_and_set(site: Site) -> None:
    """Drains B with a reason, gives A all that a host can have, and sets a setting of the module."""
    record = HostChange(weight=50, zone="eu-1a", tags=("arm", "canary"), note="half the cores of the others")
    drain = HostChange(drain=Drain(2_000_000_000, "kernel update"))
    change = {parse_host(A): record, parse_host(B): drain}
    edit = RouteEdit(ModuleId(1, 1), change=change, settings=lambda _now: {"slow_start": 30})
    await site.edit(edit)


async def test_no_page_complains_or_violates_accessibility_in_light_dark_phone_or_chinese(
    site: Site, open_browser: OpenBrowser, tmp_path: Path
) -> None:
    await site.up()
    site.add_user("ada", "admin")
    site.commands.ok("route", "add", "1", "1", A, B)
    await drain_and_set(site)
    browser = open_browser()
    browser.until(lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the agent to know the module")
    site.commands.ok("simulate", "1", "1", "--err-rate", "3", "--count", "50", "--interval", "1")
    browser.close()
    found = []
    for how in ({}, {"dark": True}, {"phone": True}, {"language": "zh-CN"}):
        browser = Browser(**how)
        try:
            browser.go(f"{site.base}/sign-in")
            found += [f"{how} /sign-in {text}" for text in browser.violations()]
            browser.fill(name="ada", password=PASSWORD)
            browser.press("登录" if "language" in how else "Sign in")
            for path in PAGES:
                browser.go(site.base + path)
                if "language" in how:
                    assert browser.one("html").get_attribute("lang") == "zh-CN"
                overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
                if browser.driver.execute_script(overflow) > 0:
                    found.append(f"{how} {path} is wider than the window")
                browser.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
                found += [f"{how} {path} console: {text}" for text in browser.errors()]
                found += [f"{how} {path} axe: {text}" for text in browser.violations()]
        finally:
            browser.close()
    assert found == []
