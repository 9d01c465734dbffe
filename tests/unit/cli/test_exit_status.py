"""How the command ends: its exit status, and what it prints about an error."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.exit_status import DONE, REFUSED, WRONG_USAGE, exit_status
from lars.errors import BadInput, InvalidRoute, LarsError, SettingsError
from tests.unit.cli.command import DEADLINE, arguments, environment, run


class StatusTests(SynchronousTestCase):
    def status(self, outcome: object) -> tuple[int, list[str]]:
        """The exit status of a command that returns or raises this, and the lines on standard error."""

        @click.command()
        def command() -> object:
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        written: list[str] = []
        self.patch(click, "echo", lambda text, err: written.append(text))
        return exit_status(command, []), written

    def test_each_outcome_has_its_status_and_its_lines(self) -> None:
        for outcome, status, lines in (
            (None, DONE, []),
            (3, 3, []),
            (LarsError("no\nhost"), REFUSED, ["lars: no host"]),
            (InvalidRoute("bad"), WRONG_USAGE, ["lars: bad"]),
            (SettingsError("bad"), WRONG_USAGE, ["lars: bad"]),
            (BadInput(["one", "two"]), WRONG_USAGE, ["lars: one", "lars: two"]),
            (click.ClickException("no such file"), WRONG_USAGE, ["lars: no such file"]),
        ):
            self.assertEqual(self.status(outcome), (status, lines))


class EndTests(SynchronousTestCase):
    def test_ctrl_c_ends_it_quietly(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"mysql://a:b@127.0.0.1:{silent.getsockname()[1]}/x"
            with subprocess.Popen(
                arguments("route", "list", "--db", url),
                env=environment(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            ) as process:
                silent.settimeout(DEADLINE)
                peer, _address = silent.accept()
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=DEADLINE)
                peer.close()
        self.assertEqual((process.returncode, out, err.strip()), (130, "", ""))

    def test_closed_pipe_is_no_traceback(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(
            arguments("--help"), env=environment(), stdout=writer, stderr=subprocess.PIPE, text=True, timeout=DEADLINE
        )
        os.close(writer)
        self.assertEqual(done.stderr, "")

    def test_full_disk_is_one_line(self) -> None:
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                arguments("--help"), env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=DEADLINE
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "lars: standard output cannot be written: No space left on device\n")

    def test_a_bug_keeps_its_traceback(self) -> None:
        @click.command()
        def broken() -> None:
            raise ZeroDivisionError

        self.assertRaises(ZeroDivisionError, exit_status, broken, [])

    def test_environment_names_the_database(self) -> None:
        ended = run("route", "list", LARS_DB="sqlite:////nowhere/lars.db")
        self.assertEqual(ended.status, 1)
        self.assertIn("sqlite:////nowhere/lars.db: no such file: run `lars db init`", ended.error)
