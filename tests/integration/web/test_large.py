"""A module of as many hosts as one can have, in the console."""

from collections.abc import Callable

from twisted.internet.defer import Deferred

from lars.db.database import Database
from lars.db.routes import RouteEdit, RouteStore
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
