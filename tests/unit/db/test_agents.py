"""The agent store: agents are listed, and dismissed when they are retired."""

from twisted.internet.defer import Deferred

from lars.db.agents import Agent, AgentReports, AgentStore, AgentUnknown
from lars.db.alarms import Alarm, raise_txn
from lars.db.measurements import Subject
from lars.db.reports import STALE_AFTER
from tests.unit.db.reports_case import PAY, A, B, ReportsCase


class AgentStoreTests(ReportsCase):
    def setUp(self) -> None:
        super().setUp()
        self.store = AgentStore(self.database)
        self.now = int(self.txn.now())
        self.silent = self.now - STALE_AFTER - 10
        insert = "INSERT INTO CallerSeen (caller, ts, skew) VALUES (?, ?, ?)"
        self.txn.execute_many(insert, [(1, self.now, -600), (2, self.silent, 0)])

    def test_agents_come_with_the_skew_of_their_clocks_the_longest_silent_first(self) -> None:
        agents = [Agent(2, self.silent, 0), Agent(1, self.now, -600)]
        self.assertEqual(self.successResultOf(self.store.agents(9)), agents)
        self.assertEqual(self.successResultOf(self.store.agents(1)), agents[:1])

    def test_dismissed_agent_is_forgotten_with_its_states_and_alarms(self) -> None:
        for host, caller in ((A, 1), (A, 2), (B, 2)):
            self.state(PAY, host, caller, self.silent, ejected=True)
        self.txn.execute("INSERT INTO ReportCursor (caller, boot, seq, ts) VALUES (2, 7, 5, 1)")
        for caller in (1, 2):
            subject = Subject(caller=caller)
            raise_txn(self.txn, Alarm(0, "gone", "silent_caller", subject, "no report", 1, 0, "", 0, 0))
        self.successResultOf(self.store.dismiss("web:lea", 2))
        self.assertEqual(self.txn.all("SELECT caller FROM CallerSeen"), [(1,)])
        self.assertEqual(self.txn.all("SELECT caller FROM ServerCallStatus"), [(1,)])
        self.assertEqual(self.txn.all("SELECT seq FROM ReportCursor"), [(5,)], "its reports are still counted once")
        cleared = self.txn.all("SELECT caller, clear_reason FROM Alarm WHERE cleared_at > 0")
        self.assertEqual(cleared, [(2, "dismissed by web:lea")])
        audit = self.txn.all("SELECT actor, what, hosts_before, hosts_after FROM RouteAudit")
        self.assertEqual(audit, [("web:lea", "agent", "0.0.0.2", "")])

    def test_agent_that_reports_is_not_dismissed(self) -> None:
        error = self.failureResultOf(self.dismissal(1), AgentReports)
        self.assertIn("agent 0.0.0.1 reported ", error.getErrorMessage())

    def test_unknown_agent_is_refused(self) -> None:
        self.failureResultOf(self.dismissal(9), AgentUnknown)

    def dismissal(self, ip: int) -> Deferred[None]:
        return Deferred.fromCoroutine(self.store.dismiss("web:lea", ip))
