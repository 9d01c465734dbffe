"""Tables and JSON on standard output."""

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import termios

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.output import folded, print_json, print_table
from tests.unit.cli.command import DEADLINE, environment


class OutputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out = io.StringIO()
        redirected = contextlib.redirect_stdout(self.out)
        redirected.__enter__()
        self.addCleanup(redirected.__exit__, None, None, None)

    def test_table_for_a_script_is_aligned_with_numbers_to_the_right(self) -> None:
        print_table(["N", "HOST", "LAST"], [(1, "a", "x"), (100, "bbbbbb", "yy")])
        self.assertEqual(self.out.getvalue(), "  N  HOST    LAST\n  1  a       x\n100  bbbbbb  yy\n")

    def test_table_for_a_script_cuts_nothing_off(self) -> None:
        print_table(["A", "B"], [("a" * 300, "b" * 300)])
        self.assertEqual(self.out.getvalue().splitlines()[1], "a" * 300 + "  " + "b" * 300)

    def test_table_without_rows_is_its_header(self) -> None:
        print_table(["MODID", "HOST"], [])
        self.assertEqual(self.out.getvalue(), "MODID  HOST\n")

    def test_json_of_any_length_parses(self) -> None:
        values: list[object] = [[], [1], [{"a": 1}, {"a": 2}], {"a": []}]
        for value in values:
            self.out.truncate(0)
            self.out.seek(0)
            print_json(value)
            self.assertEqual(json.loads(self.out.getvalue()), value)


class FoldedTests(SynchronousTestCase):
    ROWS = ((1, "10.0.0.5:80", "ejected by 1 of 2"), (22, "10.0.0.15:8080", "healthy"))

    def fold(self, room: int) -> list[str]:
        return folded(["N", "HOST", "STATE OF IT"], self.ROWS, [True, False, False], room).splitlines()

    def test_widest_cells_are_on_several_lines_below_their_name(self) -> None:
        self.assertEqual(
            self.fold(30),
            [
                " N  HOST            STATE OF",
                "                    IT",
                " 1  10.0.0.5:80     ejected by",
                "                    1 of 2",
                "22  10.0.0.15:8080  healthy",
            ],
        )

    def test_words_stay_whole(self) -> None:
        for room in range(27, 40):
            lines = self.fold(room)
            self.assertLessEqual(max(map(len, lines)), room)
            self.assertEqual(" ".join(" ".join(line[20:] for line in lines).split()), self.TEXT)
        self.assertEqual(self.fold(26), [])

    TEXT = "STATE OF IT ejected by 1 of 2 healthy"


class TerminalTests(SynchronousTestCase):
    TABLE = "from lars.cli.terminal.output import print_table; print_table(['A', 'HOST'], [(1, 'x' * 40), (22, 'y')])"

    def shown(self, columns: int) -> list[str]:
        """The lines of the table on a terminal of that width."""
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, columns))
        environ = {**environment(), "TERM": "xterm", "NO_COLOR": "1"}
        environ.pop("COLUMNS", None)
        subprocess.run([sys.executable, "-c", self.TABLE], env=environ, stdout=theirs, timeout=DEADLINE, check=True)
        os.close(theirs)
        read = b""
        with contextlib.suppress(OSError):  # the end of what a closed terminal holds
            while some := os.read(ours, 4096):
                read += some
        os.close(ours)
        return [line.rstrip() for line in re.sub("\x1b\\[[0-9;]*m", "", read.decode()).splitlines()]

    def test_terminal_gets_the_table_drawn(self) -> None:
        header, rule, *rows = self.shown(80)
        self.assertEqual((header.split(), set(rule)), (["A", "HOST"], {"─"}))
        self.assertEqual([row.split() for row in rows], [["1", "x" * 40], ["22", "y"]])

    def test_terminal_that_is_too_narrow_gets_it_whole_all_the_same(self) -> None:
        self.assertEqual(self.shown(20), [" A  HOST", " 1  " + "x" * 40, "22  y"])
