"""`lars doctor` beside real services: nothing is wrong with a sound Lars, and each fault is named with what to do."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest_twisted
from twisted.internet.threads import deferToThread

from lars.db.database import Database
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.stepped_clock import SteppedClock
from tests.unit.cli.command import Ended, run


class Machine:
    """lars-dns, lars-reporter and lars-agent, as their conf files in one folder say."""

    def __init__(self, start_service: StartService, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.conf = folder / "etc"
        self.conf.mkdir()
        self.state = folder / "state"
        self.state.mkdir(0o755)
        self._ports = [ReservedPort() for _ in range(4)]
        self.dns_port, self.reporter_port, self.dns_metrics, self.agent_metrics = self._ports
        self.agent_port = free_udp_base(3)
        Commands(url, f"127.0.0.1:{self.agent_port}", folder).ok("db", "init")
        self.write_dns()
        self.write(
            "agent",
            f"[agent]\nlisten = 127.0.0.1:{self.agent_port}\nstate_dir = {self.state}\n"
            f"metrics = {self.agent_metrics.endpoint}\n"
            f"[dnsserver]\nservers = 127.0.0.1:{self.dns_port.number}\n"
            f"[reporter]\nservers = 127.0.0.1:{self.reporter_port.number}\n",
        )
        self.write(
            "reporter",
            f"[database]\nurl = {self.url}\n"
            f"[reporter]\nlisten = {self.reporter_port.endpoint}\nmax_connections = 100\n",
        )
        self.dns: TwistdService = start_service("lars-dns", f"--config={self.conf}/lars-dns.conf")
        self.reporter: TwistdService = start_service("lars-reporter", f"--config={self.conf}/lars-reporter.conf")
        self.agent: TwistdService = start_service("lars-agent", f"--config={self.conf}/lars-agent.conf")

    def write(self, service: str, text: str) -> Path:
        path = self.conf / f"lars-{service}.conf"
        path.write_text(text, encoding="utf-8")
        path.chmod(0o640)
        return path

    def write_dns(self, max_connections: int = 100) -> None:
        self.write(
            "dns",
            f"[database]\nurl = {self.url}\n[dns]\nlisten = {self.dns_port.endpoint}\n"
            f"metrics = {self.dns_metrics.endpoint}\nmax_connections = {max_connections}\n",
        )

    async def up(self) -> None:
        await self.dns.says("lars-dns answers on")
        await self.reporter.says("lars-reporter answers on")
        await self.agent.says("linked to lars-dns")

    async def doctor(self, *arguments: str, environ: Mapping[str, str] | None = None) -> Ended:
        """Runs the command, while the reactor runs too."""
        given = ("doctor", *arguments, "--conf", str(self.conf), "--json")
        return await deferToThread(run, *given, cwd=self.folder, **(environ or {}))

    async def wrong(self, *arguments: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
        """The advice by what is wrong; the exit status agrees."""
        ended = await self.doctor(*arguments, environ=environ)
        found = json.loads(ended.out)
        wrongs = {f"{f['check']} {f['about']}: {f['what']}": f["advice"] for f in found if f["state"] == "wrong"}
        assert ended.status == bool(wrongs), ended
        assert all(wrongs.values()), wrongs
        return wrongs

    def close(self) -> None:
        for port in self._ports:
            port.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def machine(start_service: StartService, mariadb_url: str, tmp_path: Path) -> AsyncIterator[Machine]:
    machine = Machine(start_service, tmp_path, mariadb_url)
    await machine.up()
    yield machine
    machine.close()


async def test_nothing_is_wrong_with_a_sound_machine(machine: Machine) -> None:
    ended = await machine.doctor("dns", "agent")
    assert (ended.status, ended.err) == (0, "")
    checks = {(f["check"], f["about"]) for f in json.loads(ended.out) if f["state"] == "ok"}
    expected = {(check, f"lars-{name}") for check in ("ports", "links", "versions") for name in ("dns", "agent")}
    assert expected <= checks
    every = {"ports", "links", "versions", "limits", "permissions", "database", "clock"}
    assert {check for check, _about in checks} == every


async def test_settings_permissions_and_limits_are_named(machine: Machine) -> None:
    path = machine.write("web", "[web]\nlistn = tcp:7780\n")
    (machine.conf / "lars-dns.conf").chmod(0o644)
    machine.state.chmod(0o700)
    advice = set((await machine.wrong()).values())
    assert advice == {f"correct {path}", f"chmod o= {machine.conf}/lars-dns.conf", f"chmod o+rx {machine.state}"}
    path.unlink()
    machine.write_dns(max_connections=900_000)
    machine.state.chmod(0o755)
    [(about, advised)] = (await machine.wrong()).items()
    assert about.startswith("limits lars-dns: ")
    assert "LimitNOFILE=900128" in advised


async def test_dead_dns_and_hanging_agent_are_named(machine: Machine) -> None:
    await machine.dns.stopped()
    found = await machine.wrong()
    place = f"127.0.0.1:{machine.dns_port.number}"
    assert f"links lars-agent: lars-dns {place}: Connection refused" in found
    assert not [about for about in found if about.startswith("ports ")]  # lars-dns need not run here
    assert f"ports lars-dns: {place}: Connection refused" in await machine.wrong("dns")
    machine.agent.pause()
    assert any(about.startswith("ports lars-agent: ") and "no answer" in about for about in await machine.wrong())
    machine.agent.resume()


async def test_incomplete_database_wrong_clock_and_dead_database_are_named(
    machine: Machine, open_database: Callable[[str], Database], stepped_clock: SteppedClock
) -> None:
    await open_database(machine.url).write("drop", lambda txn: txn.execute("DROP TABLE RouteAudit"))
    found = await machine.wrong()
    [about] = [about for about in found if "table RouteAudit is missing" in about]
    assert "lars db init" in found[about]
    stepped_clock.set(3600)
    found = await machine.wrong(environ=stepped_clock.environ)
    assert [found[about] for about in found if "3600 s ahead of the database's" in about] == [
        "set both by NTP: timedatectl set-ntp true"
    ]
    with ReservedPort() as port:
        nobody = f"mysql://lars:secret@127.0.0.1:{port.number}/lars"
        found = await machine.wrong(environ={"LARS_DB": nobody})
    [about] = [about for about in found if about.startswith(f"database mysql://lars@127.0.0.1:{port.number}/lars: ")]
    assert "secret" not in about
