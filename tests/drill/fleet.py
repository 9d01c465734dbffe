"""The Lars of a drill: a database node, and in each zone lars-dns, lars-reporter, agents, hosts and callers."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.processes.child_process import ChildProcess
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from lars.errors import LarsError
from tests.drill.calls import FAILED, OK, Call, read_calls
from tests.drill.connections import Place
from tests.drill.database import DrillDatabase
from tests.drill.network import Network
from tests.drill.processes import READY, Program, Service
from tests.drill.services import Agent, Machine, Servers

HOST_PORT = 9000

Module = tuple[int, int]


class Caller(Program):
    """A process that calls a module with what it gets from an agent, or from a gateway."""

    def __init__(self, agent: Agent, module: Module, way: str, pause: float, folder: Path) -> None:
        self.agent = agent
        self.module = module
        self.way = way
        name = f"caller-{agent.zone.name}-{module[0]}.{module[1]}-{way}"
        self.file = folder / f"{name}.calls"
        self.file.touch()
        arguments = [str(self.file), agent.place, *map(str, module), way, str(agent.state_dir), str(pause)]
        super().__init__(agent.zone, name, "tests.drill.caller", arguments, folder)


class Fleet:
    """All processes of a drill; they end with it.

    Args:
        network: the zones.
        machines: those of the zones with services, by the name of the zone.
        database: where their servers keep everything; not launched yet.
        folder: where everything is kept.
    """

    def __init__(
        self, network: Network, machines: Mapping[str, Machine], database: DrillDatabase, folder: Path
    ) -> None:
        self.network = network
        self.folder = folder
        self.zone_of: dict[str, str] = {}
        """The zone of each host's address."""
        self._stack = ExitStack()
        self.database = database
        self.machines = machines
        self.servers = {name: Servers(machine, self.database.url) for name, machine in machines.items()}
        self.agents: list[Agent] = []
        self.hosts: dict[str, Program] = {}
        self.callers: list[Caller] = []

    def start(self, processes: Iterable[ChildProcess]) -> None:
        """Starts processes, which end with the fleet."""
        for process in processes:
            self._stack.callback(process.close)
            process.start()

    def add_host(self, zone: str) -> str:
        """Starts a host in a zone; its ADDRESS:PORT."""
        address = self.network.zones[zone].address()
        self.zone_of[address] = zone
        arguments = [address, str(HOST_PORT)]
        host = Program(self.network.zones[zone], f"host-{address}", "tests.drill.host", arguments, self.folder)
        self.hosts[f"{address}:{HOST_PORT}"] = host
        self.start([host])
        return f"{address}:{HOST_PORT}"

    def add_agent(self, zone: str, *first: str) -> Agent:
        """An agent of a zone, which prefers the servers of the zones in the order that is given."""
        servers = [self.servers[name] for name in first]
        self.agents.append(Agent(self.machines[zone], len(self.agents) + 2, servers))
        return self.agents[-1]

    def add_caller(self, agent: Agent, module: Module, way: str, pause: float = 0.1) -> None:
        """Starts a process that calls a module: with the client "cached" or "uncached", or by the "gateway".

        `pause` is between two calls of each of its threads, in seconds.
        """
        self.callers.append(Caller(agent, module, way, pause, self.folder))
        self.start(self.callers[-1:])

    def lars(self, *arguments: str) -> str:
        """Runs a `lars` command on the database; what it printed. Raises LarsError if it fails."""
        environ = {**os.environ, **checkout_environ(), "LARS_DB": self.database.url}
        command = [sys.executable, "-m", "lars.cli", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise LarsError(f"lars {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def add_routes(self, modules: Iterable[Module], hosts: Iterable[str]) -> None:
        """Adds hosts, with their zones, to modules, in one edit."""
        file = self.folder / "routes.csv"
        with file.open("w", newline="", encoding="utf-8") as text:
            rows = csv.writer(text)
            rows.writerow(["modid", "cmdid", "ip", "port", "zone"])
            for module in modules:
                rows.writerows([*module, *host.split(":"), self.zone_of[host.partition(":")[0]]] for host in hosts)
        self.lars("route", "import", str(file))

    def up(self, *others: Service) -> None:
        """Starts the database, the servers and agents and other services, and waits until they answer."""
        self._stack.callback(self.database.close)
        self.database.launch()
        self.lars("db", "init")
        services = [service for servers in self.servers.values() for service in servers] + list(others)
        self.start([*services, *self.agents])
        for service in services:
            service.until_it_says("answers on")
        for agent in self.agents:
            agent.until_linked()

    def calls(self, zone: str, cmdid: int) -> list[Call]:
        """The calls of a zone's callers to modules of a cmdid so far, by their beginning."""
        callers = [caller for caller in self.callers if caller.zone.name == zone and caller.module[1] == cmdid]
        return sorted((call for caller in callers for call in self.calls_of(caller)), key=lambda call: call.began)

    def calls_of(self, caller: Caller) -> list[Call]:
        """The calls of one caller so far."""
        return read_calls(caller.file.read_text(encoding="ascii"), self.zone_of)

    def end_callers(self) -> None:
        """Ends the callers in order, so that they report all their calls."""
        for caller in self.callers:
            caller.terminate()
        until(lambda: all(caller.status is not None for caller in self.callers), "the callers to end", READY)

    def history(self) -> dict[int, tuple[int, int]]:
        """The successes and failures that the history sums to, by modid: that is, by agent."""
        rows = self.database.query(
            "SELECT modid, SUM(succ_cnt), SUM(err_cnt) FROM lars.ServerCallHistory GROUP BY modid"
        )
        return {modid: (int(succ), int(err)) for modid, succ, err in rows}

    def reported(self) -> dict[int, tuple[int, int]]:
        """The successes and failures that the callers reported, likewise."""
        sums: dict[int, tuple[int, int]] = {}
        for caller in self.callers:
            outcomes = [call.outcome for call in self.calls_of(caller) if call.reported]
            succ, err = sums.get(caller.module[0], (0, 0))
            sums[caller.module[0]] = succ + outcomes.count(OK), err + outcomes.count(FAILED)
        return sums

    def host_places(self, zone: str) -> set[Place]:
        """Where the hosts of a zone listen."""
        return {(address, HOST_PORT) for address, name in self.zone_of.items() if name == zone}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
