"""`lars register`: runs a server, and keeps it in a module's route while it runs."""

import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from lars.cli.arguments import NumbersCommand, module_arguments
from lars.cli.exit_status import REFUSED, complain
from lars.client.registration import (
    DEFAULT_TTL,
    MAX_TTL,
    MIN_TTL,
    TOKEN_VARIABLE,
    Registration,
    RegistrationRefused,
)

DEFAULT_WEB = "http://127.0.0.1:7780"

DRAIN = 2.0
"""Default: seconds from taking the host out to stopping the command. lars-dns looks for edits every second, and clients
ask the agent every second."""

_STEP = 0.1
"""Seconds between two looks whether the port answers."""

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
"""The signals that take the host out before they are passed on."""

_PASSED_ON = _ENDING | {signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH}

_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
"""As shells have it (POSIX, XCU 2.8.2)."""


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("host", metavar="[IP]:PORT")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.option(
    "--web",
    metavar="URL",
    envvar="LARS_WEB",
    default=DEFAULT_WEB,
    show_default=True,
    show_envvar=True,
    help="lars-web, which keeps the route.",
)
@click.option(
    "--ttl",
    type=click.IntRange(MIN_TTL, MAX_TTL),
    default=DEFAULT_TTL,
    show_default=True,
    metavar="SECONDS",
    help="How long the host stays when it no longer renews, as after kill -9.",
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False),
    help=f"A file that holds a token with the role register; else the environment's {TOKEN_VARIABLE}.",
)
@click.option(
    "--drain",
    type=click.FloatRange(0, 3600),
    default=DRAIN,
    show_default=True,
    metavar="SECONDS",
    help="From taking the host out to stopping the command: callers need a moment to notice.",
)
def register(
    modid: int,
    cmdid: int,
    host: str,
    command: Sequence[str],
    web: str,
    ttl: int,
    token_file: str | None,
    drain: float,
) -> int:
    """Run COMMAND, a server, and keep it in the route of module (MODID, CMDID) while it runs.

    It is registered at lars-web once its port answers, and renewed. Without IP it is registered with the address from
    which lars-web is reached. SIGTERM, SIGINT and SIGQUIT take it out, and then, after --drain, are passed on; a second
    one is passed on at once. Other signals are passed on. The exit status is that of COMMAND.

    \b
    Example:
      lars register 1 1 :8080 --ttl 15 -- python -m http.server 8080
    """
    ip, _colon, port = host.rpartition(":")
    if not port.isdigit():
        raise click.BadParameter(f"{host!r} is not [IP]:PORT, such as :8080", param_hint="[IP]:PORT")
    token = Path(token_file).read_text(encoding="utf-8").strip() if token_file else None
    registration = Registration(web, modid, cmdid, port=int(port), ip=ip or None, ttl=ttl, token=token)
    logging.basicConfig(format="lars: %(message)s", level=logging.INFO, stream=sys.stderr)
    return _Running(registration, drain).run(command)


class _Running:
    """A command as a child, and its registration. Signals are waited for, never handled at any moment."""

    def __init__(self, registration: Registration, drain: float) -> None:
        self._registration = registration
        self._drain = drain
        self._is_started = False
        self._is_ending = False

    def run(self, command: Sequence[str]) -> int:
        """Runs it to its end; the exit status."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED_ON | {signal.SIGCHLD})
        try:
            # A group of its own, so that Ctrl-C does not stop it before it is taken out.
            self._child = subprocess.Popen(
                command, process_group=0, preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before)
            )
        except OSError as error:
            complain(f"{command[0]}: {error.strerror}")
            return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE
        try:
            return self._until_its_end()
        finally:
            self._registration.close()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _until_its_end(self) -> int:
        while not self._is_ending and not self._answers():
            if self._waited(_STEP):
                return self._status()
        if not self._is_ending:
            try:
                self._registration.start()
            except RegistrationRefused as error:
                complain(str(error))
                self._child.terminate()
                self._child.wait()
                return REFUSED
            self._is_started = True
        while not self._waited(None):
            pass
        return self._status()

    def _answers(self) -> bool:
        host = self._registration.host
        try:
            with socket.create_connection((str(host).rpartition(":")[0], host.port), timeout=_STEP):
                return True
        except OSError:
            return False

    def _waited(self, seconds: float | None) -> bool:
        """Waits for a signal, and passes it on; whether the command has ended."""
        wanted = _PASSED_ON | {signal.SIGCHLD}
        found = signal.sigwaitinfo(wanted) if seconds is None else signal.sigtimedwait(wanted, seconds)
        if found is None:
            return False
        if found.si_signo == signal.SIGCHLD:
            return self._child.poll() is not None
        number = signal.Signals(found.si_signo)
        if number in _ENDING and not self._is_ending:
            self._is_ending = True
            if self._is_started:
                self._registration.close()
                if self._drained():
                    return True
        self._child.send_signal(number)
        return self._child.poll() is not None

    def _drained(self) -> bool:
        """Waits until callers have noticed; whether the command has ended meanwhile. A second signal ends the wait."""
        deadline = time.monotonic() + self._drain
        while (left := deadline - time.monotonic()) > 0:
            found = signal.sigtimedwait(_PASSED_ON | {signal.SIGCHLD}, left)
            if found is not None and found.si_signo == signal.SIGCHLD and self._child.poll() is not None:
                return True
            if found is not None and found.si_signo in _ENDING:
                return False
        return False

    def _status(self) -> int:
        status = self._child.wait()
        return status if status >= 0 else 128 - status
