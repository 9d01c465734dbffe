"""The forms that edit and drain hosts, in a real browser that runs no scripts, and what callers notice."""

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable

from lars.client import LarsClient
from lars.db.routes import RouteEdit
from lars.errors import LarsError
from lars.host_record import Drain, HostChange
from lars.route import ModuleId, parse_host
from tests.integration.waiting import until
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Site

OpenBrowser = Callable[..., Browser]

A, B = "127.0.0.1:9001", "127.0.0.2:9001"
PAGE = f"/hosts/1/1/{A}"


async def site_with_hosts(site: Site, *modules: str) -> None:
    """Two hosts on two machines, in each module."""
    await site.up()
    site.add_user("lea", "editor")
    for cmdid in modules or ("1",):
        site.commands.ok("route", "add", "1", cmdid, A, B)


def hosts_of(site: Site, cmdid: str = "1") -> dict[str, dict[str, object]]:
    """The hosts of a module as `lars route list` shows them."""
    return {f"{row['ip']}:{row['port']}": row for row in site.commands.json("route", "list", "1", cmdid)}


async def callers_get(site: Site, *hosts: str) -> None:
    """Waits until each of some calls in turn gets one of these hosts, and all of them are got."""
    with LarsClient(site.agent, timeout=1.0, cache=False, state_dir="") as client:

        def got() -> set[str]:
            try:
                return {str(client.get_host(1, 1)) for _ in range(20)}
            except LarsError:
                return set()

        await until(site.reactor, lambda: got() == set(hosts), lambda: f"calls to go to {hosts}, not {got()}", 20)


async def test_edited_host_keeps_what_was_typed_until_it_is_right(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site)
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    browser.go(site.base + PAGE)
    typed = {"weight": "-1", "zone": "zone b", "tags": "arm canary", "note": "half the cores"}
    browser.fill(**typed)
    browser.press("Save")
    assert browser.beside("weight") == "Write a whole number from 0 to 1000."
    assert browser.beside("zone") == "A zone is up to 64 of a-z, 0-9, dot and hyphen, without blanks."
    assert (browser.beside("tags"), browser.beside("note")) == ("", "")
    assert {name: browser.value(name) for name in typed} == typed, "what was typed is kept"
    assert hosts_of(site)[A]["weight"] == 100
    browser.fill(weight="50", zone="eu-1a")
    browser.press("Save")
    browser.reads("The host is saved.")
    saved = {name: hosts_of(site)[A][name] for name in ("weight", "zone", "tags", "note")}
    assert saved == {"weight": 50, "zone": "eu-1a", "tags": ["arm", "canary"], "note": "half the cores"}
    browser.go(f"{site.base}/modules/1/1")
    row = browser.one(f'tr[data-host="{A}"]').text
    assert all(text in row for text in ("50", "eu-1a", "arm", "canary", "half the cores")), row
    browser.go(f"{site.base}/audit?modid=1&cmdid=1")
    browser.reads(f'{A} weight=50 zone="eu-1a" note="half the cores" tags=arm,canary')
    browser.reads("web:lea")


async def test_drained_host_gets_no_calls_until_its_drain_is_ended(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site)
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    await callers_get(site, A, B)
    browser.go(site.base + PAGE)
    browser.fill(time="two hours", reason="kernel update")
    browser.press("Drain")
    assert browser.beside("time") == "Write a time such as 30m, 2h or 1d 12h, of at most 366 days."
    assert (browser.value("time"), browser.value("reason")) == ("two hours", "kernel update")
    browser.fill(time="2h")
    browser.press("Drain")
    browser.reads("Hosts drained: 1.")
    assert browser.value("time") == "2h", "to change the reason alone does not change the end"
    await callers_get(site, B)
    browser.go(f"{site.base}/modules/1/1")
    row = browser.one(f'tr[data-host="{A}"]')
    assert row.find_element("css selector", ".state").get_attribute("data-state") == "draining"
    assert "until " in row.text
    assert ": kernel update" in row.text
    browser.go(site.base + PAGE)
    browser.press("End the drain")
    browser.reads("Hosts whose drain is ended: 1.")
    await callers_get(site, A, B)
    assert hosts_of(site)[A]["weight"] == 100


async def test_drain_by_somebody_else_shows_on_an_open_page_without_a_reload(
    site: Site, open_browser: OpenBrowser
) -> None:
    await site_with_hosts(site)
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/modules/1/1")
    browser.driver.execute_script("window.loadedOnce = true")
    drain = HostChange(drain=Drain(2_000_000_000, "kernel update"))
    await site.edit(
        RouteEdit(ModuleId(1, 1), change={parse_host(A): drain}, settings=lambda _now: {"slow_start": 30}),
    )
    browser.reads("until 2033-05-1")  # in the zone of the browser
    browser.reads(": kernel update")
    browser.reads("slow_start = 30")
    assert browser.one(f'tr[data-host="{A}"] .state').get_attribute("data-state") == "draining"
    assert browser.driver.execute_script("return window.loadedOnce") is True
    assert browser.errors() == []


async def test_machine_is_drained_in_all_modules_as_it_was_seen(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site, "1", "2")
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    browser.go(site.base + PAGE)
    browser.reads("Hosts at 127.0.0.1, in all modules: 2, of which are drained: 0.")
    browser.driver.find_element("link text", "Drain the whole machine").click()
    browser.fill(reason="new disk")
    await site.edit(RouteEdit(ModuleId(1, 2), change={parse_host(A): HostChange(weight=70)}))
    browser.press("Drain all hosts: 2")
    browser.reads("Somebody else has edited hosts of this machine since.")
    assert browser.value("reason") == "new disk", "what was typed is kept"
    assert [hosts_of(site, cmdid)[A]["weight"] for cmdid in "12"] == [100, 70]
    browser.press("Drain all hosts: 2")
    browser.reads("Hosts drained: 2.")
    assert [[host["weight"] for host in hosts_of(site, cmdid).values()] for cmdid in "12"] == [[0, 100], [0, 100]]
    browser.press("End the drains: 2")
    browser.reads("Hosts whose drain is ended: 2.")
    assert [hosts_of(site, cmdid)[A]["weight"] for cmdid in "12"] == [100, 70]


async def test_second_of_two_edits_of_a_host_is_a_conflict(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site)
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    browser.go(site.base + PAGE)
    other = RouteEdit(ModuleId(1, 1), change={parse_host(B): HostChange(weight=10)})
    await site.edit(other)  # of another host: no conflict
    browser.fill(weight="60")
    browser.press("Save")
    browser.reads("The host is saved.")
    await site.edit(RouteEdit(ModuleId(1, 1), change={parse_host(A): HostChange(note="new disk")}))
    browser.fill(weight="70")
    browser.press("Save")
    browser.reads("Somebody else has edited this module since.")
    assert browser.value("weight") == "70", "what was typed is kept"
    assert hosts_of(site)[A]["weight"] == 60
    await site.edit(RouteEdit(ModuleId(1, 1), remove=frozenset([parse_host(A)])))
    browser.press("Save")
    browser.reads(f"module (1, 1) has no host {A}")


async def test_viewer_sees_hosts_and_changes_none(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site)
    site.add_user("vic", "viewer")
    browser = open_browser(scripts=False)
    site.sign_in(browser, "vic")
    key = browser.one('input[name="form_key"]').get_attribute("value")
    for path in (PAGE, "/machines/127.0.0.1"):
        browser.go(site.base + path)
        browser.reads("127.0.0.1")
        assert browser.driver.find_elements("css selector", "main form") == []
    browser.go(f"{site.base}/settings/1/1")
    browser.reads("Your role may not do this")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in browser.driver.get_cookies())
    forms = (f"{PAGE}/edit", f"{PAGE}/drain", f"{PAGE}/undrain", "/machines/127.0.0.1/drain", "/settings/1/1")
    for path in (*forms, "/machines/127.0.0.1/undrain"):
        assert status_of(site.base + path, cookies, form_key=key, weight="0", policy="classic") == 403, path
    assert hosts_of(site)[A]["weight"] == 100


async def test_form_without_the_key_of_its_session_is_refused(site: Site, open_browser: OpenBrowser) -> None:
    await site_with_hosts(site)
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    browser.go(site.base + PAGE)
    seen = browser.value("seen")
    cookies = "; ".join(f"{c['name']}={c['value']}" for c in browser.driver.get_cookies())
    for path in (f"{PAGE}/edit", f"{PAGE}/drain", "/machines/127.0.0.1/drain", "/settings/1/1"):
        assert status_of(site.base + path, cookies, seen=seen, weight="0") == 403, path
    assert hosts_of(site)[A]["weight"] == 100
    key = browser.one('main input[name="form_key"]').get_attribute("value")
    assert status_of(f"{site.base}{PAGE}/edit", cookies, seen=seen, weight="0", form_key=key) == 200
    assert hosts_of(site)[A]["weight"] == 0


def status_of(url: str, cookies: str, **fields: str) -> int:
    """The status of a form that a program sends with a browser's cookies, after what it redirects to."""
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode(), {"Cookie": cookies})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code
