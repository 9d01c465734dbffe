"""`lars agents follow`: from a real SQLite file."""

import time

from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_rows import Seen
from lars.db.routes import RouteEdit, edit_txn
from lars.db.seen_writes import write_seen_txn
from lars.route import ModuleId, parse_host, parse_ip
from tests.unit.cli.command import run
from tests.unit.cli.database import SqliteFile

M = ModuleId(1, 1)


class FollowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.database.transact(
            lambda txn: edit_txn(txn, "ann", 500.0, [RouteEdit(M, add=frozenset({parse_host("10.0.0.5:80")}))])
        )
        self.hold("10.1.0.1", 500)

    def hold(self, ip: str, version: int) -> None:
        now, caller = int(time.time()), parse_ip(ip)
        seen = Seen(caller, 7, now, versions={M: version})
        self.database.transact(lambda txn: write_seen_txn(txn, [seen]))
        insert = "INSERT INTO CallerSeen (caller, ts) VALUES (?, ?)"
        self.database.transact(lambda txn: txn.execute(insert, (caller, now)))

    def test_change_that_all_have_ends_at_once(self) -> None:
        ended = run("agents", "follow", cwd=self.database.folder)
        self.assertEqual((ended.status, ended.out), (0, "version 500, 1 module: 1 of 1 agent\n"))

    def test_agents_without_it_are_listed_and_the_status_says_so(self) -> None:
        self.hold("10.1.0.2", 499)
        self.hold("10.1.0.3", 0)
        ended = run("agents", "follow", "500", "--timeout", "0", cwd=self.database.folder)
        self.assertEqual(ended.status, 1)
        first, _header, waiting = ended.out.splitlines()
        self.assertEqual(first, "version 500, 1 module: 1 of 2 agents; 1 do not say")
        self.assertEqual(waiting.split(), ["10.1.0.2", "-", "1", "1", "499"])
        self.assertEqual(ended.err, "lars: 1 agent of 2 without it so far\n")
        found = run("agents", "follow", "--timeout", "0.1", "--json", cwd=self.database.folder)
        self.assertEqual((found.status, found.json["have"], found.json["waiting"][0]["ip"]), (1, 1, "10.1.0.2"))

    def test_version_that_changed_nothing_for_agents_is_said_to(self) -> None:
        ended = run("agents", "follow", "77", cwd=self.database.folder)
        self.assertEqual(ended.status, 0)
        self.assertIn("changes nothing that agents are sent", ended.out)
        self.assertEqual(run("agents", "follow", "x", cwd=self.database.folder).status, 2)
