"""`lars alarms`: from a real SQLite file."""

import time
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, clear_txn, mark_posted_txn, raise_txn
from lars.db.measurements import Subject
from lars.route import parse_ip
from tests.unit.cli.command import run
from tests.unit.cli.database import SqliteFile


class AlarmsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.now = int(time.time())
        self.active = self.raised("shop", "err_rate", Subject(1, 2, parse_ip("10.0.0.5"), 8080), "http://a/")
        self.cleared = self.raised("gone", "silent_caller", Subject(caller=parse_ip("10.9.0.1")), "")
        self.database.transact(lambda txn: clear_txn(txn, self.cleared, self.now - 1800))

    def raised(self, rule: str, what: str, subject: Subject, webhook: str) -> int:
        alarm = Alarm(0, rule, what, subject, "it is bad", self.now - 3600, 0, webhook, 0, 0)
        return self.database.transact(lambda txn: raise_txn(txn, alarm))[0].id

    def test_active_alarms_are_listed(self) -> None:
        ended = run("alarms", cwd=self.database.folder)
        [row] = ended.out.splitlines()[1:]
        self.assertRegex(
            row, r"^ *1  shop  \(1, 2\) 10\.0\.0\.5:8080  \d{4}-\d\d-\d\d [\d:]{8}  -  +waiting  it is bad$"
        )

    def test_a_terminal_whose_encoding_lacks_a_character_gets_another_one(self) -> None:
        self.raised("\N{CJK UNIFIED IDEOGRAPH-652F}", "err_rate", Subject(1, 2, parse_ip("10.0.0.6"), 8080), "")
        ended = run("alarms", cwd=self.database.folder, PYTHONIOENCODING="latin-1")
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertEqual([line.split()[1] for line in ended.out.splitlines()[1:]], ["shop", "?"])

    def test_module_is_named_and_the_latest_figures_are_shown(self) -> None:
        self.database.transact(lambda txn: txn.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'shop')"))
        self.database.transact(lambda txn: txn.execute("UPDATE Alarm SET text_now = 'it is worse'"))
        [row] = run("alarms", cwd=self.database.folder).out.splitlines()[1:]
        self.assertIn("(1, 2) shop 10.0.0.5:8080", row)
        self.assertTrue(row.endswith("it is worse"), row)

    def test_recently_cleared_alarms_are_listed_on_request(self) -> None:
        found = run("alarms", "--hours", "1", "--json", cwd=self.database.folder).json
        self.assertEqual([alarm["id"] for alarm in found], [self.active, self.cleared])
        self.assertEqual(
            found[1],
            {"id": self.cleared, "rule": "gone", "what": "silent_caller", "modid": 0, "cmdid": 0, "host": None}
            | {"caller": "10.9.0.1", "module": "", "text": "it is bad", "text_now": "it is bad"}
            | {"raised_at": self.now - 3600, "cleared_at": self.now - 1800, "clear_reason": "", "webhook": "none"},
        )
        self.assertEqual(len(run("alarms", "--hours", "0.1", "--json", cwd=self.database.folder).json), 1)

    def test_state_of_the_webhook_is_shown(self) -> None:
        for outcome, expected in ((1, "posted"), (2, "given up")):
            self.database.transact(partial(mark_posted_txn, alarm_id=self.active, cleared=False, outcome=outcome))
            self.assertEqual(run("alarms", "--json", cwd=self.database.folder).json[0]["webhook"], expected)
