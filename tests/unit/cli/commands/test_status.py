"""`lars status`: from the reports in a real SQLite file, and the words for states."""

import json
import signal
import subprocess
import time
from typing import IO, Any

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.status import state
from lars.db.reports import HostStatus
from lars.db.routes import RouteEdit, edit_txn
from lars.host_record import Drain, HostChange
from lars.route import ModuleId, parse_host
from tests.unit.cli.command import arguments, environment, run
from tests.unit.cli.database import SqliteFile
from tests.unit.cli.reported import reported
from tests.unit.cli.terminal_screen import on_terminal

HOST = parse_host("10.0.0.5:8080")
OTHER = parse_host("10.0.0.6:8080")

HOME = "\x1b[H"
"""What moves the cursor to the top of a terminal."""


class StateTests(SynchronousTestCase):
    def test_host_is_stale_without_callers_and_ejected_if_one_ejected_it(self) -> None:
        for callers, overloaded_at, expected in ((0, 0, "stale"), (2, 0, "healthy"), (2, 1, "ejected")):
            host = HostStatus(1, 1, *HOST, 0, 0, callers, overloaded_at, 0)
            self.assertEqual(state(host), expected)


class StatusTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        now = int(time.time())
        self.report("10.9.0.1", now, {HOST: (30, 10, True), OTHER: (5, 0, False)})
        self.report("10.9.0.2", now, {HOST: (60, 0, False)})
        self.report("10.9.0.1", now - 3600, {parse_host("10.0.0.7:80"): (1, 1, False)})

    def report(self, caller: str, ts: int, hosts: dict[tuple[int, int], tuple[int, int, bool]]) -> None:
        """What an agent reported at a time."""
        self.database.transact(reported(caller, ts, hosts))

    def test_table_shows_states_and_calls(self) -> None:
        ended = run("status", cwd=self.database.folder)
        self.assertEqual((ended.status, ended.err), (0, ""))
        header, first, second, third = (line.split() for line in ended.out.splitlines())
        self.assertEqual(header[:4], ["MODID", "CMDID", "HOST", "STATE"])
        self.assertEqual(first[:11], ["1", "1", "10.0.0.5:8080", "ejected", "by", "1", "of", "2", "90", "10", "10.0"])
        self.assertEqual(" ".join(second[:8]), "1 1 10.0.0.6:8080 healthy 5 0 0.0 1")
        self.assertEqual(" ".join(third[:8]), "1 1 10.0.0.7:80 stale 0 0 0.0 0")
        self.assertEqual(third[-3:], ["60", "min", "ago"])

    def test_json_has_all_of_it(self) -> None:
        first = run("status", "1", "1", "--json", cwd=self.database.folder).json[0]
        self.assertGreater(first.pop("last_report"), 0)
        self.assertEqual(
            first,
            {"modid": 1, "cmdid": 1, "ip": "10.0.0.5", "port": 8080, "succ": 90, "err": 10}
            | {"callers": 2, "overloaded_at": 1, "state": "ejected", "latest": False}
            | {"weight": 100, "zone": "", "reason": "", "since": None},
        )

    def test_bad_hosts_alone_and_the_worst_first(self) -> None:
        now = int(time.time())
        self.report(
            "10.9.0.1", now, {parse_host("10.0.0.8:80"): (1, 9, False), parse_host("10.0.0.9:80"): (99, 1, False)}
        )

        def hosts(*options: str) -> list[str]:
            return [host["ip"] for host in run("status", "--json", *options, cwd=self.database.folder).json]

        self.assertEqual(hosts("--bad"), ["10.0.0.5", "10.0.0.8"])
        self.assertEqual(hosts("--bad", "--sort", "errors"), ["10.0.0.8", "10.0.0.5"])
        self.assertEqual(hosts("--sort", "calls")[:3], ["10.0.0.5", "10.0.0.9", "10.0.0.8"])

    def test_zones_weights_and_drains_are_shown(self) -> None:
        hosts = {HOST: HostChange(zone="a", drain=Drain(0, "kernel update")), OTHER: HostChange(zone="b", weight=50)}
        edit = RouteEdit(ModuleId(1, 1), add=frozenset(hosts), change=hosts)
        self.database.transact(lambda txn: edit_txn(txn, "ann", 0.0, [edit]))
        shown = run("status", cwd=self.database.folder).out
        self.assertIn(" draining 90 ", " ".join(shown.split()))
        self.assertIn(" healthy, weight 50 ", " ".join(shown.split()))
        self.assertIn("Zones of (1, 1): a 95.2%, b 4.8%\n", shown)
        self.assertIn("10.0.0.5:8080 of (1, 1) is drained: kernel update\n", shown)
        first = run("status", "1", "1", "--json", cwd=self.database.folder).json[0]
        self.assertEqual([first[name] for name in ("state", "weight", "zone")], ["draining", 0, "a"])

    def test_latest_reports_of_a_cpp_reporter_are_shown_and_marked(self) -> None:
        self.database.transact(lambda txn: txn.execute("DELETE FROM ServerCallHistory"))
        ended = run("status", "1", "1", cwd=self.database.folder)
        self.assertEqual(
            ended.err,
            "~: what the callers reported last, not the calls of the period: a C++ reporter keeps no history\n",
        )
        self.assertIn(" ~90 ", ended.out)
        ended = run("history", "1", "1", cwd=self.database.folder)
        self.assertIn("a C++ reporter keeps none; `lars status` shows its latest reports", ended.err)
        self.assertTrue(run("status", "1", "1", "--json", cwd=self.database.folder).json[0]["latest"])

    def test_minutes_say_how_far_back_calls_are_counted(self) -> None:
        def counts(*options: str) -> list[int]:
            return [host["succ"] for host in run("status", "--json", *options, cwd=self.database.folder).json]

        self.assertEqual(counts(), [90, 5, 0])
        self.assertEqual(counts("--minutes", "90"), [90, 5, 1])

    def test_module_without_reports_is_an_empty_list(self) -> None:
        self.assertEqual(run("status", "7", "--json", cwd=self.database.folder).json, [])

    def test_watch_shows_it_again_and_again_until_it_is_interrupted(self) -> None:
        with subprocess.Popen(
            arguments("status", "1", "--watch", "--interval", "0.1", "--json"),
            cwd=self.database.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            shown = [self.next_list(process.stdout) for _ in range(2)]
            self.report("10.9.0.3", int(time.time()), {HOST: (1000, 0, False)})
            while shown[-1][0]["succ"] < 1090:
                shown.append(self.next_list(process.stdout))
            process.send_signal(signal.SIGINT)
            process.stdout.read()
        self.assertEqual([host["succ"] for host in shown[0]], [90, 5, 0])
        self.assertEqual([host["succ"] for host in shown[-1]], [1090, 5, 0])
        self.assertEqual(process.returncode, 130)

    def test_watch_never_blanks_the_terminal_and_keeps_the_header_in_view(self) -> None:
        now = int(time.time())
        self.report("10.9.0.4", now, {parse_host(f"10.0.1.{last}:80"): (1, 0, False) for last in range(1, 51)})
        shown = on_terminal(
            "status",
            "--watch",
            "--interval",
            "0.1",
            cwd=self.database.folder,
            columns=100,
            until=lambda text: text.count(HOME) > 4,
        )
        self.assertNotIn("\x1b[2J", shown)
        before, *frames = shown.split(HOME)
        self.assertEqual(before.replace("\x1b[?7l", ""), "")
        for each in frames[:4]:
            lines = each.split("\r\n")
            self.assertLessEqual(len(lines), 24)
            self.assertIn("Ctrl-C to quit", lines[0])
            self.assertIn("MODID", lines[2])
            self.assertIn("more lines than this terminal shows", lines[-2])

    def test_no_line_is_longer_than_a_terminal_of_80_columns(self) -> None:
        shown = on_terminal("status", cwd=self.database.folder, columns=80, NO_COLOR="1")
        self.assertLessEqual(max(map(len, shown.splitlines())), 80, shown)
        self.assertIn("ejected by", shown)

    def next_list(self, lines: IO[str]) -> list[dict[str, Any]]:
        """The next JSON document of a command that prints lists."""
        text = ""
        while not text.endswith("]\n"):
            text += lines.readline()
        found: list[dict[str, Any]] = json.loads(text)
        return found
