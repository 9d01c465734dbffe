"""Alarms and retired agents where people see them: the console in a real browser, and the API."""

from collections.abc import Callable
from typing import Any

from lars.db.alarms import Alarm, raise_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.measurements import Subject
from lars.route import parse_ip
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Site, token_of
from tests.integration.web.test_api import Api

OpenDatabase = Callable[[str], Database]

GONE, SKEWED = "10.9.9.9", "10.9.9.8"


def fill_txn(txn: Transaction) -> None:
    """A retired agent, one whose clock is off, an alarm about the first, and one about a host of a named module."""
    now = int(txn.now())
    txn.execute_many(
        "INSERT INTO CallerSeen (caller, ts, skew) VALUES (?, ?, ?)",
        [(parse_ip(GONE), now - 900, 0), (parse_ip(SKEWED), now, -600)],
    )
    txn.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'shop')")
    txn.execute("INSERT INTO CmdIDConfig (cmdid, content) VALUES (2, 'pay')")
    for what, subject, text in (
        ("silent_caller", Subject(caller=parse_ip(GONE)), "no report for 300 s"),
        ("err_rate", Subject(1, 2, parse_ip("10.0.0.5"), 80), "50.0 % of 80 calls in 60 s failed, over 10 %"),
    ):
        raise_txn(txn, Alarm(0, what, what, subject, text, now - 600, 0, "", 0, 0))
    latest = "100.0 % of 83 calls in 60 s failed, over 10 %"
    txn.execute("UPDATE Alarm SET text_now = ? WHERE what = 'err_rate'", (latest,))


async def test_alarms_say_whom_they_are_about_and_a_retired_agent_is_dismissed(
    site: Site, open_browser: Callable[..., Browser], open_database: OpenDatabase
) -> None:
    await site.up()
    site.add_user("ed", "editor")
    await open_database(site.commands.database_url).write("fill", fill_txn)
    browser = open_browser()
    site.sign_in(browser, "ed")
    browser.go(f"{site.base}/")
    for text in ("(1, 2) shop / pay", "10.0.0.5:80", "100.0 % of 83 calls", GONE):
        browser.reads(text)
    browser.go(f"{site.base}/alarms")
    for text in ("(1, 2) shop / pay", "50.0 % of 80 calls", "latest: 100.0 % of 83 calls"):
        browser.reads(text)
    browser.go(f"{site.base}/agents")
    browser.reads("600 s behind")
    assert len(browser.driver.find_elements("css selector", "form[action$='/dismiss']")) == 1, "one is silent"
    browser.press("Dismiss")
    browser.reads("The agent is dismissed.")
    assert GONE not in browser.one("table").text
    browser.go(f"{site.base}/alarms")
    browser.reads("cleared: dismissed by web:ed")
    browser.go(f"{site.base}/audit")
    browser.reads(GONE)
    assert browser.errors() == []


async def test_api_shows_and_dismisses_agents(site: Site, open_database: OpenDatabase) -> None:
    await site.up()
    site.add_user("lea", "admin")
    await open_database(site.commands.database_url).write("fill", fill_txn)
    api = Api(site, await token_of(site, "editor"))
    _status, body, _headers = await api("GET", "/agents")
    skews: dict[str, Any] = {agent["ip"]: agent["clock_skew"] for agent in body["agents"]}
    assert (skews[GONE], skews[SKEWED]) == (0, -600)
    _status, body, _headers = await api("GET", "/alarms")
    [about_host] = [alarm for alarm in body["alarms"] if alarm["host"]]
    assert (about_host["module"], about_host["text_now"][:22]) == ("shop / pay", "100.0 % of 83 calls in")
    assert [(await api("DELETE", f"/agents/{ip}"))[0] for ip in (GONE, GONE, SKEWED, "x")] == [204, 404, 409, 404]
    _status, body, _headers = await api("GET", "/alarms?cleared=true")
    assert [alarm["clear_reason"][:12] for alarm in body["alarms"]] == ["dismissed by"]
    viewer = Api(site, await token_of(site, "viewer"))
    assert (await viewer("DELETE", f"/agents/{SKEWED}"))[0] == 403
