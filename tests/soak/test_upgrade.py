"""An upgrade, one service at a time: edits reach the agent and calls are counted in every mixture of two releases."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lars.client import LarsClient
from tests.integration.fleet import Commands, StartService
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.waiting import until
from tests.soak.previous_release import CHECKOUT, previous_release

SERVICES = ("lars-dns", "lars-reporter", "lars-agent")
CALLS = 20


class Fleet:
    """Three services, each of which can be replaced by that of the other release, in the same place."""

    def __init__(self, reactor: Any, start_service: StartService, url: str, folder: Path) -> None:
        self._reactor = reactor
        self._start = start_service
        self._old = previous_release(folder / "old")
        self._url = url
        self._ports = dns, reporter = ReservedPort(), ReservedPort()
        agent = f"127.0.0.1:{free_udp_base(3)}"
        self.commands = Commands(url, agent, folder)
        self._options = {
            "lars-dns": ["--db", url, f"--listen={dns.endpoint}"],
            "lars-reporter": ["--db", url, f"--listen={reporter.endpoint}"],
            "lars-agent": [
                *(f"--listen={agent}", f"--state-dir={folder / 'state'}", "--report-interval=0.5"),
                *(f"--dns=127.0.0.1:{dns.number}", f"--reporter=127.0.0.1:{reporter.number}"),
            ],
        }
        self._running: dict[str, TwistdService] = {}
        self._client = LarsClient(agent, timeout=1.0, cache=False, state_dir="")
        self._calls = self._hosts = 0

    def close(self) -> None:
        self._client.close()
        for port in self._ports:
            port.close()

    def make_old_database(self) -> None:
        """Makes the tables as `lars db init` of the previous release does."""
        environ = {**os.environ, "PYTHONPATH": str(self._old), "LARS_DB": self._url}
        init = [sys.executable, "-m", "lars.cli", "db", "init"]
        done = subprocess.run(init, cwd=self._old, env=environ, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stderr

    async def run(self, plugin: str, old: bool) -> None:
        """Runs a service of one release instead of the one that runs."""
        if plugin in self._running:
            await self._running[plugin].stopped()
        name = f"{plugin} {'old' if old else 'new'}"
        place = {"PYTHONPATH": str(self._old if old else CHECKOUT)}
        self._running[plugin] = self._start(plugin, *self._options[plugin], name=name, environ=place)

    async def works(self) -> None:
        """Makes an edit and some calls, and waits until the agent has the one and the database the others."""
        self._hosts += 1
        self.commands.ok("route", "add", "1", "1", f"127.0.0.1:{9000 + self._hosts}")
        await until(
            self._reactor, lambda: self._known() == self._hosts, lambda: f"{self._hosts} hosts, {self._logs()}", 15
        )
        for _ in range(CALLS):
            self._client.report(self._client.get_host(1, 1), retcode=0)
        self._calls += CALLS
        await until(
            self._reactor, lambda: self._counted() == self._calls, lambda: f"{self._calls} calls, {self._logs()}", 15
        )

    def _known(self) -> int:
        done = self.commands.run("get-route", "1", "1")
        return len(done.stdout.split()) if done.returncode == 0 else 0

    def _counted(self) -> int:
        return sum(row["succ"] for row in self.commands.json("status", "1", "1"))

    def _logs(self) -> str:
        return "\n".join(f"{service.name}: {service.log()[-1000:]}" for service in self._running.values())


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, mariadb_url: str, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(reactor, start_service, mariadb_url, tmp_path)
    yield fleet
    fleet.close()


@pytest.mark.parametrize("order", [SERVICES, SERVICES[::-1]], ids=["servers first", "agents first"])
async def test_services_are_upgraded_one_at_a_time_in_either_order(fleet: Fleet, order: tuple[str, ...]) -> None:
    fleet.make_old_database()
    for plugin in SERVICES:
        await fleet.run(plugin, old=True)
    fleet.commands.ok("db", "init")
    await fleet.works()
    for plugin in order:
        await fleet.run(plugin, old=False)
        await fleet.works()
