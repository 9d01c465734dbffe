"""`lars agents`: from a real SQLite file."""

import time

from twisted.trial.unittest import SynchronousTestCase

from lars.route import parse_ip
from tests.unit.cli.command import run
from tests.unit.cli.database import SqliteFile


class AgentsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.now = int(time.time())
        rows = [(parse_ip("10.0.0.1"), self.now, -600), (parse_ip("10.0.0.2"), self.now - 1000, 0)]
        insert = "INSERT INTO CallerSeen (caller, ts, skew) VALUES (?, ?, ?)"
        self.database.transact(lambda txn: txn.execute_many(insert, rows))

    def test_agents_are_listed_the_longest_silent_first(self) -> None:
        silent, reports = run("agents", "list", cwd=self.database.folder).out.splitlines()[1:]
        self.assertRegex(silent, r"^10\.0\.0\.2 +silent +10\d\d s ago +right$")
        self.assertRegex(reports, r"^10\.0\.0\.1 +reports +\d+ s ago +600 s behind$")
        found = run("agents", "list", "--json", cwd=self.database.folder).json
        self.assertEqual(found[1], {"ip": "10.0.0.1", "seen_at": self.now, "clock_skew": -600})

    def test_retired_agent_is_dismissed_and_one_that_reports_is_refused(self) -> None:
        ended = run("agents", "dismiss", "10.0.0.2", cwd=self.database.folder)
        self.assertEqual((ended.status, ended.out), (0, "dismissed 10.0.0.2\n"))
        ended = run("agents", "dismiss", "10.0.0.1", cwd=self.database.folder)
        self.assertEqual(ended.status, 1)
        self.assertIn("agent 10.0.0.1 reported ", ended.err)
        self.assertEqual(run("agents", "dismiss", "10.0.0.2", cwd=self.database.folder).status, 1)
        self.assertEqual(run("agents", "dismiss", "host", cwd=self.database.folder).status, 2)
