"""Who sees which host how, and which agents hold a version: in the console and by the API."""

from collections.abc import Callable

from lars import __version__
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.report_rows import AgentFacts, CallsSeen, HostSeen, Seen, pack_host
from lars.db.routes import RouteEdit, edit_txn
from lars.db.seen_writes import write_seen_txn
from lars.host_record import HostChange
from lars.route import ModuleId, parse_host, parse_ip
from tests.integration.web.browser import Browser
from tests.integration.web.conftest import Site, token_of
from tests.integration.web.test_api import Api

OpenDatabase = Callable[[str], Database]

M = ModuleId(3, 3)
A, B = parse_host("10.0.0.5:80"), parse_host("10.0.0.6:80")
SHOP, MAIL, OLD = "10.1.0.1", "10.1.0.2", "10.1.0.3"
WHY = "3 of 4 recent calls failed"


def fill_txn(txn: Transaction) -> int:
    """Two agents of which one has ejected a host and lacks the newest version, and an older one; that version."""
    now = int(txn.now())
    first = edit_txn(txn, "ann", now, [RouteEdit(M, add=frozenset({A, B}))]).version
    newest = edit_txn(txn, "ann", now, [RouteEdit(M, change={B: HostChange(weight=50)})]).version
    for ip, version, state in ((SHOP, first, 2), (MAIL, newest, 1)):
        facts = AgentFacts(
            now - 7200, f"host-of-{ip}", __version__, "a", "dns:7778", "reporter:7779", "policy = classic"
        )
        seen = Seen(parse_ip(ip), 7, now, facts=facts, versions={M: version})
        calls = CallsSeen(6, 3, now, 60)
        seen.hosts[M] = {pack_host(*A): HostSeen(state, WHY if state == 2 else "", now - 300, 12_500, calls)}
        write_seen_txn(txn, [seen])
    txn.execute_many(
        "INSERT INTO ServerCallStatus (modid, cmdid, ip, port, caller, succ_cnt, err_cnt, ts, overload) "
        "VALUES (3, 3, ?, 80, ?, 1, 0, ?, ?)",
        [(A.ip, parse_ip(ip), now, str(int(ip == SHOP))) for ip in (SHOP, MAIL, OLD)],
    )
    seen_at = [(parse_ip(ip), now - 900 * (ip == OLD)) for ip in (SHOP, MAIL, OLD)]
    txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", seen_at)
    return newest


async def test_console_shows_who_sees_a_host_fail_and_who_has_a_change(
    site: Site, open_browser: Callable[..., Browser], open_database: OpenDatabase
) -> None:
    await site.up()
    site.add_user("ed", "editor")
    newest = await open_database(site.commands.database_url).write("fill", fill_txn)
    browser = open_browser()
    site.sign_in(browser, "ed")
    for path in ("/modules/3/3", f"/hosts/3/3/{A}"):
        browser.go(site.base + path)
        for text in ("By caller", WHY, f"{SHOP} host-of-{SHOP}", "5 min ago", "33.3%", "12.5 ms"):
            browser.reads(text)
        assert browser.violations() == []
    browser.go(f"{site.base}/agents")
    browser.reads(f"host-of-{MAIL}")
    browser.go(f"{site.base}/agents/{SHOP}")
    for text in (__version__, "dns:7778", "policy = classic", "behind", WHY, "stop it first"):
        browser.reads(text)
    assert browser.violations() == []
    browser.go(f"{site.base}/versions")
    browser.reads("1 / 2")
    browser.go(f"{site.base}/versions/{newest}")
    browser.reads(f"host-of-{SHOP}")
    assert f"host-of-{MAIL}" not in browser.text, "it has the version"
    assert browser.violations() == []
    browser.go(f"{site.base}/agents/{OLD}")
    browser.reads("it says nothing of itself")
    browser.press("Dismiss")
    browser.reads("The agent is dismissed.")
    assert browser.errors() == []


async def test_api_has_the_same(site: Site, open_database: OpenDatabase) -> None:
    await site.up()
    site.add_user("lea", "admin")
    newest = await open_database(site.commands.database_url).write("fill", fill_txn)
    api = Api(site, await token_of(site, "viewer"))
    _status, body, _headers = await api("GET", "/modules/3/3/callers")
    (bad, good) = body["callers"]
    assert (bad["caller"], bad["host"], bad["state"], bad["reason"]) == (SHOP, str(A), "ejected", WHY)
    assert (good["caller"], good["state"], good["latency"], good["err"]) == (MAIL, "healthy", 0.0125, 3)
    _status, body, _headers = await api("GET", f"/agents/{SHOP}")
    assert (body["hostname"], body["settings"], body["routes"][0]["behind"]) == (
        f"host-of-{SHOP}",
        ["policy = classic"],
        True,
    )
    assert [host["state"] for host in body["hosts"]] == ["ejected"]
    _status, body, _headers = await api("GET", f"/agents/{OLD}")
    assert (body["hostname"], body["routes"]) == (None, [])
    assert [(await api("GET", f"/agents/{ip}"))[0] for ip in ("10.1.0.9", "x")] == [404, 404]
    _status, body, _headers = await api("GET", f"/versions/{newest}")
    assert (body["agents"], body["have"], [one["ip"] for one in body["waiting"]]) == (2, 1, [SHOP])
