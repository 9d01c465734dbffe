"""What agents say of hosts and of themselves, written and read on both engines."""

from lars.db.agents import AgentStore
from lars.db.callers import CallerStore
from lars.db.database import Database
from lars.db.engine import Row, Transaction
from lars.db.held_routes import HeldRouteStore
from lars.db.host_states import HostStateStore
from lars.db.report_rows import AgentFacts, CallsSeen, Group, HostSeen, Rows, Seen, pack_host
from lars.db.report_writes import ReportWrites
from lars.db.reports import HostSeenBy, ReportStore
from lars.db.routes import RouteEdit, RouteStore
from lars.host_condition import Condition
from lars.host_record import HostChange
from lars.route import HostAddress, ModuleId

M = ModuleId(1, 1)
A, B = HostAddress(0x0A000001, 80), HostAddress(0x0A000002, 80)
SHOP, MAIL = 0xC0A80101, 0xC0A80102


async def test_what_agents_say_is_read_as_it_was_said(database: Database) -> None:
    now = int(await database.read("read the clock", lambda txn: txn.now()))
    version = (await RouteStore(database).edit("ann", now, [RouteEdit(M, add=frozenset({A, B}))])).version
    writes = ReportWrites(database)
    settings = "policy = classic\nmodules = 1.1:adaptive"
    facts = AgentFacts(now - 60, "商店-1", "0.1.0", "a", "dns:7778", "reporter:7779", settings)
    for caller, state, reason in (
        (SHOP, Condition.EJECTED, "3 of 3 recent calls failed"),
        (MAIL, Condition.HEALTHY, ""),
    ):
        run = (caller, 7)
        group = Group(*run, 1, 1, Rows({M: {pack_host(*A): (0, 3, now, state is Condition.EJECTED)}}))
        seen = Seen(*run, now, facts=facts, versions={M: version})
        calls = CallsSeen(7, 3, now, 60)
        seen.hosts[M] = {pack_host(*A): HostSeen(state, reason, now - 40, 2_500, calls)}
        done = await writes.commit([group], [run], now, [seen])
        assert (done.refused, done.rows["CallerHost"], done.cursors[run]) == ([], 1, 1)
    # Later: the state alone, without a report.
    later = Seen(SHOP, 7, now)
    later.hosts[M] = {pack_host(*A): HostSeen(Condition.UNHEALTHY, "http 503", now - 5, 0, None)}
    done = await writes.commit([], [], now, [later])
    assert done.cursors == {(SHOP, 7): 1}

    bad, good = await CallerStore(database).views(1, 1)
    assert (bad.caller, bad.hostname, bad.condition, bad.reason) == (SHOP, "商店-1", Condition.UNHEALTHY, "http 503")
    assert (bad.since, bad.latency, bad.succ, bad.err, bad.period) == (now - 5, None, 7, 3, 60)
    assert (good.caller, good.condition, good.latency) == (MAIL, Condition.HEALTHY, 0.0025)
    [status] = await ReportStore(database).status(1, 1, now - 600, now)
    assert status.seen == (HostSeenBy(Condition.UNHEALTHY, 1, "http 503", now - 5),)
    watched = await HostStateStore(database).watched([M], now, now - 600)
    assert watched[M].seen == {A: status.seen}
    agents = AgentStore(database)
    assert (await agents.agent(SHOP)).facts == facts

    held = HeldRouteStore(database)
    newer = (await RouteStore(database).edit("ann", now, [RouteEdit(M, change={B: HostChange(weight=5)})])).version
    [route] = await held.of_agent(SHOP, 9)
    assert (route.version, route.changed, route.behind) == (version, newer, True)
    progress = await held.progress(newer)
    assert (progress.modules, progress.agents, progress.have) == ((M,), 2, 0)
    await writes.commit([], [], now, [Seen(SHOP, 7, now, versions={M: newer}), Seen(MAIL, 7, now, versions={M: None})])
    progress = await held.progress(newer)
    assert (progress.agents, progress.have) == (1, 1)
    assert [view.condition for view in await CallerStore(database).views_of(MAIL)] == [Condition.HEALTHY]

    def retire(txn: Transaction) -> None:
        txn.execute("UPDATE CallerSeen SET ts = ts - 900")

    def left(txn: Transaction) -> list[Row]:
        return [
            row
            for table in ("CallerHost", "CallerRoute", "AgentInfo")
            for row in txn.all(f"SELECT caller FROM {table}")
        ]

    await database.write("let it be silent", retire)
    await agents.dismiss("ann", SHOP)
    assert set(await database.read("look", left)) == {(MAIL,)}
