"""The units, as systemd's own tools read them, and what systemd hears from a service."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import StartService
from tests.integration.processes import ReservedPort, TwistdService
from tests.integration.waiting import until

DEPLOY = Path(__file__).parents[3] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))

MOST_EXPOSED = 20
"""Tenths that systemd-analyze may give a unit: 2 of 10, where 10 is without any protection."""


def run(*command: str) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_systemd_accepts_the_units_and_finds_them_protected(tmp_path: Path) -> None:
    assert [unit.stem for unit in UNITS] == ["lars-agent", "lars-dns", "lars-gateway", "lars-reporter", "lars-web"]
    here = str(Path(sys.executable).with_name("twistd"))
    units = []
    for unit in UNITS:  # whose program is there only once Lars is installed
        text = unit.read_text(encoding="utf-8")
        assert f"ExecStart=/usr/lib/lars/bin/twistd -n --pidfile= {unit.stem} " in text
        (tmp_path / unit.name).write_text(text.replace("/usr/lib/lars/bin/twistd", here), encoding="utf-8")
        units.append(str(tmp_path / unit.name))
    said = run("systemd-analyze", "verify", "--man=no", *units)
    assert not [line for line in said.splitlines() if "lars" in line]  # it warns of units of the machine too
    run("systemd-analyze", "security", "--no-pager", "--offline=true", f"--threshold={MOST_EXPOSED}", *units)


def test_user_and_folders_are_made(tmp_path: Path) -> None:
    (tmp_path / "etc" / "lars").mkdir(parents=True)
    run("systemd-sysusers", f"--root={tmp_path}", str(DEPLOY / "systemd" / "lars.sysusers"))
    [user] = [u for u in (tmp_path / "etc" / "passwd").read_text().splitlines() if u.startswith("lars:")]
    assert user.endswith(":/var/lib/lars:/usr/sbin/nologin")
    run("systemd-tmpfiles", "--create", f"--root={tmp_path}", str(DEPLOY / "systemd" / "lars.tmpfiles"))
    uid = int(user.split(":")[2])
    for folder, mode, owner in (("var/lib/lars", 0o755, uid), ("var/log/lars", 0o750, uid), ("etc/lars", 0o750, 0)):
        status = (tmp_path / folder).stat()
        assert (status.st_mode & 0o777, status.st_uid) == (mode, owner), folder


def test_logrotate_accepts_its_file(tmp_path: Path) -> None:
    text = (DEPLOY / "logrotate" / "lars").read_text(encoding="utf-8")
    own = tmp_path / "lars"
    own.write_text(text.replace("lars lars", "root root"), encoding="utf-8")  # whose user is not on this machine
    own.chmod(0o644)
    program = shutil.which("logrotate") or "/usr/sbin/logrotate"
    assert "error" not in run(program, "--debug", f"--state={tmp_path / 'state'}", str(own))


class Systemd:
    """The socket on which systemd listens to one service."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": str(folder / "notify")}
        self._states: list[str] = []

    @property
    def states(self) -> list[str]:
        """What it has heard so far."""
        try:
            while True:
                self._states.append(self._socket.recv(4096).decode())
        except BlockingIOError:
            return self._states

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path)
    yield systemd
    systemd.close()


async def test_systemd_hears_that_a_service_is_ready_once_it_listens_and_that_it_stops(
    reactor: Any, start_service: StartService, systemd: Systemd
) -> None:
    with ReservedPort() as port:
        gateway: TwistdService = start_service(
            "lars-gateway", f"--listen={port.endpoint}", "--dns=", environ=systemd.environ
        )
        await until(reactor, lambda: systemd.states, "the first state")
        assert systemd.states == ["READY=1"]
        assert "lars-gateway answers on" in gateway.log()
        await gateway.stopped()
        assert systemd.states == ["READY=1", "STOPPING=1"]


async def test_dns_without_database_or_saved_routes_is_not_ready(
    start_service: StartService, systemd: Systemd, tmp_path: Path
) -> None:
    nowhere = f"--db=mysql://lars:lars@127.0.0.1:{free_port()}/lars"
    dns: TwistdService = start_service("lars-dns", nowhere, "--listen=tcp:0", environ=systemd.environ)
    await dns.says("not serving yet")
    assert systemd.states == []


def free_port() -> int:
    """A port at which nobody listens."""
    with ReservedPort() as port:
        return port.number
