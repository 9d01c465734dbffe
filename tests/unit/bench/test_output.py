"""What a command prints, and its exit status."""

import io
import json
import signal
import subprocess
from contextlib import redirect_stderr, redirect_stdout

from twisted.trial.unittest import SynchronousTestCase

from bench.errors import BenchError
from bench.figure import Figure
from bench.output import attempted, exit_status, printed
from bench.processes.errors import ProcessError
from lars.client import AgentUnavailable


def _fail(error: Exception) -> None:
    raise error


class OutputTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.figure = Figure("edit", "sqlite")
        for number in (signal.SIGTERM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.getsignal(number))

    def test_what_keeps_a_figure_from_being_measured_is_its_error(self) -> None:
        errors: list[Exception] = [
            BenchError("wrong"),
            ProcessError("mariadbd is missing"),
            AgentUnavailable("no answer"),
            ConnectionRefusedError("refused"),
            subprocess.TimeoutExpired("udpload", 60),
        ]
        for error in errors:
            with redirect_stderr(io.StringIO()), attempted(self.figure):
                _fail(error)
            self.assertEqual(self.figure.error, str(error))
        self.assertEqual(exit_status([self.figure]), 1)

    def test_bug_of_a_benchmark_keeps_its_traceback(self) -> None:
        with self.assertRaises(KeyError), attempted(self.figure):
            raise KeyError("bug")

    def test_missed_bar_is_no_failure(self) -> None:
        with redirect_stderr(io.StringIO()):
            self.figure.measure("start", 3.0, "s", at_most=2)
        self.assertEqual(exit_status([self.figure]), 0)

    def test_figures_so_far_are_printed_when_a_signal_ends_the_command(self) -> None:
        figures, out = [self.figure], io.StringIO()
        with self.assertRaises(SystemExit) as ended, redirect_stdout(out), printed(figures):
            figures.append(Figure("fanout", "sqlite"))
            signal.raise_signal(signal.SIGTERM)
        self.assertEqual(ended.exception.code, 143)
        document = json.loads(out.getvalue())
        self.assertEqual([figure["figure"] for figure in document["figures"]], ["edit", "fanout"])
        self.assertLessEqual({"cores", "cpu", "memory_mb", "kernel", "python"}, document["machine"].keys())
