"""How callers see hosts: what they say, and what their reports say where they do not."""

from lars.db.callers import CallerStore, CallerView
from lars.db.report_rows import AgentFacts, CallsSeen, HostSeen, Seen, pack_host
from lars.db.seen_writes import write_seen_txn
from lars.host_condition import Condition
from lars.route import HostAddress, ModuleId
from tests.unit.db.reports_case import MAIL, PAY, A, B, ReportsCase

NOW = 1_700_000_000


class CallerStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.database.set_clock(NOW)
        self.store = CallerStore(self.database)
        self.route(PAY, A, B)
        self.txn.execute_many("INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)", [(1, NOW), (2, NOW), (3, NOW - 200)])

    def say(
        self,
        caller: int,
        host: HostAddress,
        state: Condition,
        reason: str = "",
        at: int = NOW,
        calls: CallsSeen | None = None,
        module: ModuleId = PAY,
    ) -> None:
        seen = Seen(caller, 7, at, facts=AgentFacts(5, f"shop-{caller}", "1", "", "", "", ""))
        seen.hosts[module] = {pack_host(*host): HostSeen(state, reason, at - 60, 2500, calls)}
        write_seen_txn(self.txn, [seen])

    def views(self, modid: int | None = 1, cmdid: int | None = 1) -> list[CallerView]:
        return self.successResultOf(self.store.views(modid, cmdid))

    def test_what_a_caller_says_has_reason_time_latency_and_calls(self) -> None:
        self.state(PAY, A, 1, NOW, ejected=True)
        self.say(1, A, Condition.EJECTED, "3 of 3 recent calls failed", calls=CallsSeen(7, 3, NOW - 10, 60))
        (view,) = self.views()
        self.assertEqual((view.host, view.caller, view.hostname), (A, 1, "shop-1"))
        self.assertEqual((view.condition, view.reason), (Condition.EJECTED, "3 of 3 recent calls failed"))
        self.assertEqual((view.since, view.latency), (NOW - 60, 0.0025))
        self.assertEqual((view.succ, view.err, view.period), (7, 3, 60))

    def test_caller_that_says_nothing_is_known_by_its_reports(self) -> None:
        self.state(PAY, A, 2, NOW, ejected=True)
        self.state(PAY, B, 2, NOW, ejected=False)
        ejected, healthy = self.views()
        self.assertEqual(
            (ejected.condition, ejected.reason, ejected.since, ejected.period), (Condition.EJECTED, "", 0, 0)
        )
        self.assertIs(healthy.condition, Condition.HEALTHY)

    def test_hosts_that_are_not_healthy_come_first_and_silent_callers_not_at_all(self) -> None:
        for caller, host in ((1, A), (2, A), (3, A), (2, B)):
            self.state(PAY, host, caller, NOW, ejected=(caller, host) == (2, B))
        self.say(2, B, Condition.UNHEALTHY, "http 503")
        self.say(2, A, Condition.DRAINING)
        found = [(view.caller, view.host, view.condition) for view in self.views()]
        self.assertEqual(found, [(2, B, Condition.UNHEALTHY), (2, A, Condition.DRAINING), (1, A, Condition.HEALTHY)])

    def test_newer_report_wins_over_what_was_said_long_before(self) -> None:
        self.say(1, A, Condition.EJECTED, "3 of 3 recent calls failed", at=NOW - 600)
        self.state(PAY, A, 1, NOW, ejected=False)
        (view,) = self.views()
        self.assertEqual((view.condition, view.reason), (Condition.HEALTHY, ""))

    def test_what_was_said_before_the_agent_started_anew_is_forgotten(self) -> None:
        self.state(PAY, A, 1, NOW - 400, ejected=True)
        self.say(1, A, Condition.EJECTED, "3 of 3 recent calls failed", at=NOW - 400)
        self.assertEqual(len(self.views()), 1)
        self.txn.execute("UPDATE AgentInfo SET started_at = ?", (NOW - 30,))
        self.assertEqual(self.views(), [])

    def test_state_holds_while_its_caller_is_heard_of_and_the_host_is_in_the_route(self) -> None:
        gone = HostAddress(99, 80)
        for host in (A, gone):
            self.state(PAY, host, 1, NOW - 600, ejected=True)
            self.say(1, host, Condition.EJECTED, "x", at=NOW - 600, calls=CallsSeen(5, 5, NOW - 600, 60))
        (view,) = self.views()
        self.assertEqual((view.host, view.condition, view.succ), (A, Condition.EJECTED, 0), "calls are of long ago")

    def test_modules_and_callers_can_be_chosen(self) -> None:
        self.state(PAY, A, 1, NOW, ejected=False)
        self.state(MAIL, A, 2, NOW, ejected=False)
        self.assertEqual(len(self.views(None, None)), 2)
        self.assertEqual([view.module for view in self.views(1, 2)], [MAIL])
        self.assertEqual([view.module for view in self.successResultOf(self.store.views_of(1))], [PAY])
        self.assertEqual([view.caller for view in self.successResultOf(self.store.views_of_host(MAIL, A))], [2])
        self.assertEqual(len(self.successResultOf(self.store.views(None, None, 1))), 1)
