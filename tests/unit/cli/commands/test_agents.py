"""`lars agents`: from a real SQLite file."""

import time

from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import AgentFacts, HostSeen, Seen, pack_host
from lars.db.seen_writes import write_seen_txn
from lars.route import parse_host, parse_ip
from tests.unit.cli.command import run
from tests.unit.cli.database import SqliteFile
from tests.unit.cli.reported import M, reported

A = parse_host("10.0.0.5:80")


class AgentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.now = int(time.time())
        rows = [(parse_ip("10.0.0.1"), self.now, -600), (parse_ip("10.0.0.2"), self.now - 1000, 0)]
        insert = "INSERT INTO CallerSeen (caller, ts, skew) VALUES (?, ?, ?)"
        self.database.transact(lambda txn: txn.execute_many(insert, rows))

    def test_agents_are_listed_the_longest_silent_first(self) -> None:
        silent, reports = run("agents", "list", cwd=self.database.folder).out.splitlines()[1:]
        self.assertRegex(silent, r"^10\.0\.0\.2 +- +- +- +- +silent +10\d\d s ago +right$")
        self.assertRegex(reports, r"^10\.0\.0\.1 +- +- +- +- +reports +\d+ s ago +600 s behind$")
        found = run("agents", "list", "--json", cwd=self.database.folder).json
        known = {name: value for name, value in found[1].items() if value is not None}
        self.assertEqual(known, {"ip": "10.0.0.1", "seen_at": self.now, "clock_skew": -600})

    def say(self) -> None:
        """What the agent 10.0.0.1 says of itself and of a host that it has ejected."""
        seen = Seen(parse_ip("10.0.0.1"), 7, self.now)
        seen.facts = AgentFacts(self.now - 7200, "shop-1", "1.2", "a", "10.0.0.8:7778", "", "policy = classic")
        seen.versions[M] = 4
        seen.hosts[M] = {pack_host(*A): HostSeen(2, "3 of 3 recent calls failed", self.now - 300, 0, None)}
        self.database.transact(lambda txn: write_seen_txn(txn, [seen]))
        self.database.transact(reported("10.0.0.1", self.now, {A: (0, 3, True)}))

    def test_agent_is_listed_with_what_it_says_of_itself(self) -> None:
        self.say()
        (reports,) = run("agents", "list", cwd=self.database.folder).out.splitlines()[2:]
        self.assertRegex(reports, r"^10\.0\.0\.1 +shop-1 +1\.2 +a +2 h +reports ")

    def test_one_is_shown_with_its_links_settings_routes_and_bad_hosts(self) -> None:
        self.say()
        out = run("agents", "show", "10.0.0.1", cwd=self.database.folder).out
        self.assertRegex(out, r"(?m)^lars-dns +10\.0\.0\.8:7778$")
        self.assertRegex(out, r"(?m)^lars-reporter +-$")
        self.assertRegex(out, r"(?m)^settings +policy = classic$")
        self.assertRegex(out, r"(?m)^ +1 +1 +4$")
        self.assertRegex(out, r"10\.0\.0\.5:80 +10\.0\.0\.1 \(shop-1\) +ejected: 3 of 3 recent calls failed +5 min")
        found = run("agents", "show", "10.0.0.1", "--json", cwd=self.database.folder).json
        self.assertEqual(found["routes"], [{"modid": 1, "cmdid": 1, "version": 4, "behind": False}])
        self.assertEqual([host["state"] for host in found["hosts"]], ["ejected"])

    def test_one_that_says_nothing_of_itself_is_shown_too_and_an_unknown_one_refused(self) -> None:
        self.assertRegex(run("agents", "show", "10.0.0.2", cwd=self.database.folder).out, r"(?m)^version +-$")
        ended = run("agents", "show", "10.0.0.9", cwd=self.database.folder)
        self.assertEqual((ended.status, ended.err), (1, "lars: no agent 10.0.0.9 is known\n"))

    def test_retired_agent_is_dismissed_and_one_that_reports_is_refused(self) -> None:
        ended = run("agents", "dismiss", "10.0.0.2", cwd=self.database.folder)
        self.assertEqual((ended.status, ended.out), (0, "dismissed 10.0.0.2\n"))
        ended = run("agents", "dismiss", "10.0.0.1", cwd=self.database.folder)
        self.assertEqual(ended.status, 1)
        self.assertIn("agent 10.0.0.1 reported ", ended.err)
        self.assertEqual(run("agents", "dismiss", "10.0.0.2", cwd=self.database.folder).status, 1)
        self.assertEqual(run("agents", "dismiss", "host", cwd=self.database.folder).status, 2)
