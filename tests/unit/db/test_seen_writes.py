"""What agents say is written over what they said before, and with the reports of their runs."""

from lars.db.report_rows import AgentFacts, CallsSeen, Group, HostSeen, Seen, pack_host
from lars.db.report_writes import commit_txn
from lars.db.seen_writes import write_seen_txn
from tests.unit.db.reports_case import MAIL, NOW, PAY, A, B, ReportsCase

CALLER, BOOT = 9, 2**63 + 5
FACTS = AgentFacts(5000, "shop-1", "1.2", "a", "dns:7778", "reporter:7779", "policy = classic")


def seen_of(at: int, calls: CallsSeen | None = None, state: int = 2) -> Seen:
    """What one agent says of a host of PAY and one of MAIL."""
    seen = Seen(CALLER, BOOT, at, facts=FACTS)
    seen.hosts[PAY] = {pack_host(*A): HostSeen(state, "http 503", at - 60, 1500, calls)}
    seen.hosts[MAIL] = {pack_host(*B): HostSeen(1, "", at, 0, CallsSeen(1, 0, at, 60))}
    seen.versions = {PAY: 7, MAIL: 8}
    return seen


class SeenWritesTests(ReportsCase):
    def hosts(self) -> list[tuple[object, ...]]:
        return self.txn.all("SELECT ip, ts, state, since, reason, succ_cnt, counted_at FROM CallerHost ORDER BY ip")

    def test_state_without_calls_leaves_the_calls_that_are_there(self) -> None:
        written = write_seen_txn(self.txn, [seen_of(6000, CallsSeen(9, 1, 6000, 60))])
        self.assertEqual(written, {"CallerHost": 2, "CallerRoute": 2, "AgentInfo": 1})
        write_seen_txn(self.txn, [seen_of(6030, state=3)])
        self.assertEqual(self.hosts()[0], (A.ip, 6030, 3, 5970, "http 503", 9, 6000))
        self.assertEqual(self.txn.all("SELECT version, ts FROM CallerRoute"), [(7, 6030), (8, 6030)])
        self.assertEqual(self.txn.all("SELECT * FROM AgentInfo"), [(CALLER, 6030, *FACTS)])

    def test_forgotten_module_is_deleted_of_this_caller_alone(self) -> None:
        write_seen_txn(self.txn, [seen_of(6000)])
        other = seen_of(6000)
        other.caller = 8
        write_seen_txn(self.txn, [other])
        write_seen_txn(self.txn, [Seen(CALLER, BOOT, 6001, versions={PAY: None})])
        self.assertEqual(self.txn.all("SELECT caller FROM CallerRoute WHERE cmdid = ?", (PAY.cmdid,)), [(8,)])
        self.assertEqual(self.txn.all("SELECT caller FROM CallerHost WHERE cmdid = ?", (PAY.cmdid,)), [(8,)])
        self.assertEqual(len(self.txn.all("SELECT caller FROM CallerHost")), 3)

    def test_it_is_written_with_the_reports_of_its_run_or_without_any(self) -> None:
        done = commit_txn(self.txn, [Group(CALLER, BOOT, 1, 3)], [(CALLER, BOOT)], NOW, [seen_of(6000)])
        self.assertEqual((done.cursors, done.rows["CallerHost"]), ({(CALLER, BOOT): 3}, 2))
        done = commit_txn(self.txn, [], [], NOW + 9, [seen_of(6009)])
        self.assertEqual(done.cursors, {(CALLER, BOOT): 3}, "the cursor stays")
        self.assertEqual(self.hosts()[0][1], 6009)

    def test_what_the_database_refuses_is_left_out_and_the_reports_stay(self) -> None:
        self.txn.execute("CREATE TRIGGER no BEFORE INSERT ON CallerHost BEGIN SELECT RAISE(ABORT, 'none of that'); END")
        done = commit_txn(self.txn, [Group(CALLER, BOOT, 1, 3)], [(CALLER, BOOT)], NOW, [seen_of(6000)])
        self.assertEqual(done.cursors, {(CALLER, BOOT): 3})
        self.assertEqual(len(done.refused), 1)
        self.assertIn("none of that", done.refused[0])
        self.assertEqual(self.txn.all("SELECT * FROM AgentInfo"), [])
