"""The mark of live pages: how old the figures are, and why, while lars-web or its database does not answer."""

from collections.abc import Callable

from lars.accounts import hash_password
from lars.db.accounts import AccountStore
from lars.db.database import Database
from lars.db.schema import init_txn
from tests.integration.conftest import StartService
from tests.integration.mariadb import MariaDb
from tests.integration.running_service import RunningService
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import PASSWORD

OpenBrowser = Callable[..., Browser]


def is_old(browser: Browser) -> bool:
    return bool(browser.one("body").get_attribute("data-old") is not None)


async def test_mark_says_how_old_figures_are_and_why(
    start_service: StartService,
    own_mariadb: MariaDb,
    open_database: Callable[[str], Database],
    open_browser: OpenBrowser,
) -> None:
    url = own_mariadb.url(own_mariadb.new_database())
    database = open_database(url)
    await database.write("create the schema", init_txn)
    await AccountStore(database).add("test", "lea", hash_password(PASSWORD), "viewer", 0)
    web = RunningService(start_service, "lars-web", url)
    await web.up()
    browser = open_browser()
    browser.go(f"http://127.0.0.1:{web.port}/")
    browser.fill(name="lea", password=PASSWORD)
    browser.press("Sign in")
    mark = browser.one("#live-mark")
    browser.until(lambda: mark.text == "live", "the stream")
    assert not is_old(browser)
    web.service.pause()
    browser.until(lambda: "s old: lars-web does not answer" in mark.text, "its age")
    assert is_old(browser)
    web.service.resume()
    browser.until(lambda: mark.text == "live" and not is_old(browser), "fresh figures")
    own_mariadb.kill()
    browser.until(lambda: "s old: the database does not answer" in mark.text, "the reason")
    assert is_old(browser)
    own_mariadb.start()
    await own_mariadb.answers()
    browser.until(lambda: mark.text == "live" and not is_old(browser), "fresh figures again")
    web.close()
