"""Services as daemons: pid files, log files that others rotate, and what the terminal says."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bench.processes.twistd import checkout_environ, twistd_command
from tests.integration.processes import ReservedPort, free_udp_base
from tests.integration.waiting import until

TWISTD = twistd_command("")[0]


class Daemons:
    """Starts `lars-web` in a folder, on free ports; ends what runs by the pid files there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_file = folder / "lars-web.log"

    def run(self, *options: str, shell: str = 'exec "$@"') -> subprocess.CompletedProcess[str]:
        """Starts one through a shell, until it has detached or failed."""
        return subprocess.run(
            ["sh", "-c", shell, "sh", TWISTD, *options],
            cwd=self.folder,
            env={**os.environ, **checkout_environ()},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def start(self, *options: str) -> int:
        done = self.run("lars-web", "--listen=tcp:0:interface=127.0.0.1", *options)
        assert done.returncode == 0, done.stderr
        return self.pid()

    def pid(self) -> int:
        return int((self.folder / "lars-web.pid").read_text(encoding="ascii"))

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8") if self.log_file.exists() else ""

    def close(self) -> None:
        for file in self.folder.glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(file.read_text(encoding="ascii")), signal.SIGKILL)


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[Daemons]:
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_daemon_has_its_own_pid_and_log_and_starts_again_after_a_kill(reactor: Any, daemons: Daemons) -> None:
    first = daemons.start()
    second = daemons.run("lars-web", "--listen=tcp:0:interface=127.0.0.1")
    assert (second.returncode, str(first) in second.stderr) == (1, True)
    os.kill(first, signal.SIGKILL)
    await until(reactor, lambda: is_gone(first), "the daemon to be gone")
    (daemons.folder / "lars-web.pid").write_text(str(os.getpid()), encoding="ascii")  # the pid is now another's
    assert daemons.start() not in (first, os.getpid())


async def test_container_that_was_killed_starts_again_with_the_same_pid(reactor: Any, daemons: Daemons) -> None:
    shell = (
        'echo $$ > lars-web.pid; timeout -s TERM 20 sh -c "while ! grep -q answers out; do sleep 0.05; done; kill $$" &'
    )
    done = daemons.run(
        "-n",
        "--pidfile=lars-web.pid",
        "lars-web",
        "--listen=tcp:0:interface=127.0.0.1",
        shell=f'{shell} exec "$@" > out',
    )
    said = (daemons.folder / "out").read_text(encoding="utf-8")
    assert done.returncode == -signal.SIGTERM, done.stderr
    assert "lars-web answers on" in said


async def test_moved_log_is_opened_anew_on_hup_and_a_truncated_one_has_no_hole(reactor: Any, daemons: Daemons) -> None:
    pid = daemons.start()
    await until(reactor, lambda: "nobody can sign in" in daemons.log() or "no such table" in daemons.log(), "a start")
    moved = daemons.log_file.rename(daemons.folder / "lars-web.log.1")
    os.kill(pid, signal.SIGHUP)
    await until(reactor, daemons.log_file.exists, "a new log file")
    with daemons.log_file.open("r+b") as file:
        file.truncate(0)
    before = moved.read_text(encoding="utf-8")
    os.kill(pid, signal.SIGTERM)
    await until(reactor, lambda: "Server Shut Down." in daemons.log(), "the end in the new log")
    await until(reactor, lambda: is_gone(pid), "the daemon to be gone")
    assert "\0" not in daemons.log()
    assert moved.read_text(encoding="utf-8") == before


async def test_daemon_that_cannot_listen_says_so_on_the_terminal(daemons: Daemons) -> None:
    with ReservedPort() as port:
        taken = daemons.start(f"--metrics={port.endpoint}")
        done = daemons.run("--pidfile=other.pid", "lars-web", f"--listen={port.endpoint}")
    assert done.returncode == 1
    reason = "Address already in use; choose another place or stop what is there"
    assert done.stderr.splitlines()[-1] == f"lars-web: cannot listen on {port.endpoint}: {reason}"
    assert not is_gone(taken)


@pytest.mark.parametrize(
    ("plugin", "options"),
    [
        ("lars-dns", "--listen={tcp}"),
        ("lars-reporter", "--listen={tcp}"),
        ("lars-agent", "--listen={udp} --state-dir="),
        ("lars-agent", "--listen={udp} --state-dir= --workers=3"),
        ("lars", "--agent-listen={udp} --dns-listen=tcp:0 --reporter-listen=tcp:0 --web-listen=tcp:0"),
        ("lars", "--agent-listen={free} --dns-listen={tcp} --reporter-listen=tcp:0 --web-listen=tcp:0"),
    ],
)
async def test_no_service_detaches_that_cannot_listen(daemons: Daemons, plugin: str, options: str) -> None:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(("127.0.0.1", 0))
        places = {
            "tcp": f"tcp:{tcp.getsockname()[1]}:interface=127.0.0.1",
            "udp": f"127.0.0.1:{udp.getsockname()[1]}",
            "free": f"127.0.0.1:{free_udp_base(3)}",
        }
        done = daemons.run(plugin, *(word.format(**places) for word in options.split()))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"{plugin}: cannot listen on ")
    assert not list(daemons.folder.glob("*.pid"))
