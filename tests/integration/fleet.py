"""A whole Lars of separate processes for a test: dns, reporter and agent, and the commands that a person types."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.processes.twistd import checkout_environ
from lars.client import LarsClient
from lars.errors import LarsError
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.waiting import until

StartService = Callable[..., TwistdService]


class Commands:
    """The `lars` command, as a person runs it, on one database and one agent."""

    def __init__(self, database_url: str, agent: str, folder: Path) -> None:
        self.database_url = database_url
        self._environ = {**os.environ, "LARS_DB": database_url, "LARS_AGENT": agent}
        self._folder = folder

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        program = [sys.executable, "-m", "lars.cli", *arguments]
        environ = {**self._environ, **checkout_environ()}
        return subprocess.run(
            program, cwd=self._folder, env=environ, input=stdin, capture_output=True, text=True, timeout=30
        )

    def ok(self, *arguments: str) -> str:
        """Runs one command that must succeed; what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"lars {' '.join(arguments)}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        """Runs one command with --json; what it printed."""
        return json.loads(self.ok(*arguments, "--json"))


class Fleet:
    """dns, reporter and agent as processes of their own. `client` asks the agent, which has further options."""

    def __init__(
        self,
        reactor: Any,
        start_service: StartService,
        database_url: str,
        folder: Path,
        *agent_options: str,
        server_options: Sequence[str] = (),
    ) -> None:
        self._reactor = reactor
        self.database_url = database_url
        self.ports = [ReservedPort(), ReservedPort()]
        self.agent_port = free_udp_base(3)
        self.commands = Commands(database_url, f"127.0.0.1:{self.agent_port}", folder)
        self.commands.ok("db", "init")
        dns, reporter = self.ports
        self.dns = start_service("lars-dns", "--db", database_url, f"--listen={dns.endpoint}", *server_options)
        self.reporter = start_service(
            "lars-reporter", "--db", database_url, f"--listen={reporter.endpoint}", *server_options
        )
        self.agent = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{self.agent_port}",
            f"--dns=127.0.0.1:{dns.number}",
            f"--reporter=127.0.0.1:{reporter.number}",
            f"--state-dir={folder / 'state'}",
            "--report-interval=0.5",
            *agent_options,
        )
        self.client = LarsClient(f"127.0.0.1:{self.agent_port}", timeout=1.0, cache=False, state_dir="")

    async def up(self) -> None:
        """Waits until the services answer."""
        await self.dns.says("answers on")
        await self.reporter.says("answers on")
        await self.agent.says("linked to lars-dns")
        await self.agent.says("linked to lars-reporter")

    def hosts(self, modid: int = 1, cmdid: int = 1) -> list[str]:
        """The hosts that the agent knows now; none also when it does not answer yet."""
        try:
            return sorted(str(host) for host in self.client.get_route(modid, cmdid))
        except LarsError:
            return []

    async def serves(self, *hosts: str, deadline: float = 10.0, cmdid: int = 1) -> None:
        """Waits until the agent knows just these hosts of (1, cmdid)."""
        wanted = sorted(hosts)
        missing = f"the agent to serve {wanted}"
        await until(
            self._reactor,
            lambda: self.hosts(1, cmdid) == wanted,
            lambda: f"{missing}; it serves {self.hosts(1, cmdid)}",
            deadline,
        )

    def counted(self) -> tuple[int, int]:
        """Successes and failures of (1, 1) that `lars status` shows."""
        rows = self.commands.json("status", "1", "1")
        return sum(row["succ"] for row in rows), sum(row["err"] for row in rows)

    async def counts(self, succ: int, err: int, deadline: float = 15.0) -> None:
        """Waits until `lars status` shows just so many calls."""
        await until(
            self._reactor,
            lambda: self.counted() == (succ, err),
            lambda: f"{(succ, err)} to be counted, not {self.counted()}",
            deadline,
        )

    def close(self) -> None:
        self.client.close()
        for port in self.ports:
            port.close()
