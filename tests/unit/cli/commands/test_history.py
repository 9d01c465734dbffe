"""`lars history`: bars, numbers and JSON from a real SQLite file."""

import re
import time

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.history import bars_that_fit
from lars.route import parse_host
from tests.unit.cli.command import run
from tests.unit.cli.database import SqliteFile
from tests.unit.cli.reported import reported
from tests.unit.cli.terminal_screen import on_terminal

HOST = parse_host("10.0.0.5:8080")
OTHER = parse_host("10.0.0.6:8080")


class HistoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.minute = int(time.time()) // 60 * 60
        self.database.transact(reported("10.9.0.1", self.minute - 120, {HOST: (30, 10, True), OTHER: (5, 0, False)}))
        self.database.transact(reported("10.9.0.2", self.minute - 60, {HOST: (80, 0, False)}))
        self.database.transact(reported("10.9.0.3", self.minute - 60, {OTHER: (4, 1, False)}, derived=True))

    def test_bars_by_host(self) -> None:
        ended = run("history", "1", "1", "--minutes", "5", cwd=self.database.folder)
        header, first, second = ended.out.splitlines()
        self.assertEqual(header.split(), ["MODID", "CMDID", "HOST", "SUCC", "ERR", "ERR%", "CALLS", "ERRORS"])
        self.assertEqual(first.split(), ["1", "1", "10.0.0.5:8080", "110", "10", "8.3", "▅█", "▃▁"])
        self.assertEqual(second.split(), ["1", "1", "10.0.0.6:8080", "~9", "1", "10.0", "██", "▁▂"])

    def test_table_has_a_row_for_each_minute_and_host(self) -> None:
        ended = run("history", "--table", cwd=self.database.folder)
        rows = [line.split()[2:] for line in ended.out.splitlines()[1:]]
        self.assertEqual(
            rows,
            [
                ["1", "1", "10.0.0.5:8080", "30", "10", "25.0"],
                ["1", "1", "10.0.0.6:8080", "5", "0", "0.0"],
                ["1", "1", "10.0.0.5:8080", "80", "0", "0.0"],
                ["1", "1", "10.0.0.6:8080", "~4", "1", "20.0"],
            ],
        )

    def test_json_has_all_of_it(self) -> None:
        hosts = run("history", "--json", cwd=self.database.folder).json
        self.assertEqual(
            [(host["ip"], host["port"], len(host["minutes"])) for host in hosts],
            [("10.0.0.5", 8080, 2), ("10.0.0.6", 8080, 2)],
        )
        self.assertEqual(hosts[1]["minutes"][1], {"minute": self.minute - 60, "succ": 4, "err": 1, "approximate": 5})

    def test_module_without_calls_is_an_empty_list(self) -> None:
        self.assertEqual(run("history", "7", "--json", cwd=self.database.folder).json, [])

    def test_no_line_is_longer_than_the_terminal_is_wide(self) -> None:
        self.database.transact(
            reported("10.9.0.4", self.minute, {parse_host("255.255.255.255:65535"): (10**6, 1, False)})
        )
        for columns in (80, 120):
            shown = on_terminal("history", cwd=self.database.folder, columns=columns, NO_COLOR="1")
            lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
            self.assertLessEqual(max(map(len, lines)), columns, shown)
            self.assertEqual(len([line for line in lines if line.strip().startswith("1")]), 3, shown)

    def test_bars_are_made_of_what_the_terminal_s_encoding_has(self) -> None:
        ended = run("history", "1", "1", "--minutes", "5", cwd=self.database.folder, PYTHONIOENCODING="latin-1")
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertEqual(ended.out.splitlines()[1].split()[-2:], ["=#", ":_"])


class BarsThatFitTests(SynchronousTestCase):
    ROWS = (("HOST", "SUCC"), ("10.0.0.5:8080", 110))

    def test_a_script_gets_all_bars(self) -> None:
        self.assertEqual(bars_that_fit(self.ROWS, None), 60)

    def test_a_terminal_gets_as_many_as_leave_each_row_on_one_line(self) -> None:
        for columns, bars in ((59, 18), (60, 18), (61, 19), (500, 60), (20, 8)):
            self.assertEqual(bars_that_fit(self.ROWS, columns), bars)
