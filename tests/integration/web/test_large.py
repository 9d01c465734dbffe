"""A module of as many hosts as one can have, in the console."""

from collections.abc import Callable

from twisted.internet.defer import Deferred

from lars.db.database import Database
from lars.db.routes import RouteEdit, RouteStore
from lars.host_record import HostChange
from lars.route import MAX_HOSTS, HostAddress, ModuleId
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Site

OpenBrowser = Callable[..., Browser]

M = ModuleId(1, 1)
FIRST = 10 << 24


async def test_hosts_of_a_large_module_are_shown_by_pages(
    site: Site, open_browser: OpenBrowser, open_database: Callable[[str], Database]
) -> None:
    await site.up()
    site.add_user("lea", "editor")
    store = RouteStore(open_database(site.commands.database_url))
    hosts = [HostAddress(FIRST + n, 80) for n in range(1, MAX_HOSTS + 1)]
    await store.edit("test", 0, [RouteEdit(M, frozenset(hosts))])
    browser = open_browser()
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/modules/1/1")
    assert len(browser.driver.page_source) < 600_000
    for _ in range(2):
        browser.reads("Next")
        browser.one("a[rel=next]").click()
    browser.reads("Page 3 of")
    browser.reads(str(hosts[200]))
    browser.until(lambda: browser.one("#live-mark").is_displayed(), "the stream")
    gone = hosts[205]
    await Deferred.fromCoroutine(store.edit("test", 0, [RouteEdit(M, remove=frozenset([gone]))]))
    browser.until(lambda: not browser.driver.find_elements("css selector", f'tr[data-host="{gone}"]'), "the host to go")
    assert browser.errors() == []


async def test_hosts_that_a_search_finds_are_edited_at_once(
    site: Site, open_browser: OpenBrowser, open_database: Callable[[str], Database]
) -> None:
    await site.up()
    site.add_user("lea", "editor")
    store = RouteStore(open_database(site.commands.database_url))
    hosts = [HostAddress(FIRST + n, 80) for n in range(1, MAX_HOSTS + 1)]
    in_a = {host: HostChange(zone="a") for host in hosts[:300]}
    await store.edit("test", 0, [RouteEdit(M, frozenset(hosts), change=in_a)])
    browser = open_browser(scripts=False)
    site.sign_in(browser, "lea")
    browser.go(f"{site.base}/modules?show=troubled&sort=rate&way=down")
    browser.reads("No module is in trouble")
    browser.go(f"{site.base}/host-list/1/1?q=a&sort=host&way=down")
    browser.reads("300 of 4,000 hosts")
    browser.reads("Page 1 of 3")
    assert len(browser.driver.page_source) < 200_000
    assert browser.one("tbody tr").get_attribute("data-host") == str(hosts[299])
    browser.fill(weight="1001")
    browser.press("Set the weight of all hosts: 300")
    assert browser.beside("weight") == "Write a whole number from 0 to 1000."
    browser.fill(weight="50")
    browser.press("Set the weight of all hosts: 300")
    browser.reads("Hosts changed: 300.")
    records = {HostAddress(ip, port): record for _modid, _cmdid, ip, port, record in await store.routes(1, 1)}
    assert [host for host in hosts if records[host].weight == 50] == hosts[:300]

    browser.go(f"{site.base}/host-list/1/1?q=10.0.0.0/28")
    await Deferred.fromCoroutine(store.edit("test", 0, [RouteEdit(M, remove=frozenset(hosts[:1]))]))
    browser.fill(count="15")
    browser.press("Remove all hosts: 15")
    browser.reads("The hosts that this search finds have changed since.")
    browser.press("Remove all hosts: 14")
    assert browser.beside("count") == "Write 14, the number of hosts to remove."
    browser.fill(count="14")
    browser.press("Remove all hosts: 14")
    browser.reads("Hosts removed: 14.")
    left = [HostAddress(ip, port) for _modid, _cmdid, ip, port, _record in await store.routes(1, 1)]
    assert left == hosts[15:]
