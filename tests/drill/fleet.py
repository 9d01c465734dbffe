"""The Lars of a drill: a database node, and in each zone lars-dns, lars-reporter, agents, hosts and callers."""

import csv
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
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
from tests.drill.network import Network, Zone
from tests.drill.processes import READY, DatabaseNode, Program, Service

DNS_PORT, REPORTER_PORT, HOST_PORT = 7778, 7779, 9000

Module = tuple[int, int]


class Agent(Service):
    """A lars-agent on a loopback address of its zone."""

    def __init__(self, zone: Zone, name: str, number: int, servers: Sequence["Servers"], folder: Path) -> None:
        self.place = f"127.0.0.{number}:8888"
        self.caller = zone.address()
        conf = folder / f"{name}.conf"
        conf.write_text(
            f"[agent]\nlisten = {self.place}\ncaller = {self.caller}\nstate_dir = {folder}/{name}\n"
            "report_interval = 1\nheartbeat_interval = 1\n"
            f"[dnsserver]\nservers = {', '.join(f'{s.address}:{DNS_PORT}' for s in servers)}\n"
            f"[reporter]\nservers = {', '.join(f'{s.address}:{REPORTER_PORT}' for s in servers)}\n"
            f"[balance]\nmodules = 1.2:round_robin\nzone = {zone.name}\nsettings = 1.2 locality.enabled=false\n",
            encoding="utf-8",
        )
        super().__init__(zone, name, "lars-agent", [f"--config={conf}"], folder)

    def up(self) -> None:
        """Waits until it answers and is linked."""
        for text in ("lars-agent answers on", "linked to lars-dns", "linked to lars-reporter"):
            self.until_it_says(text)


class Servers:
    """lars-dns and lars-reporter of a zone, both at one address."""

    def __init__(self, zone: Zone, database_url: str, folder: Path) -> None:
        self.zone = zone
        self.address = zone.address()
        self.dns = self._service("lars-dns", DNS_PORT, database_url, folder)
        self.reporter = self._service("lars-reporter", REPORTER_PORT, database_url, folder)

    def _service(self, plugin: str, port: int, database_url: str, folder: Path) -> Service:
        options = [f"--db={database_url}", f"--listen=tcp:{port}:interface={self.address}"]
        return Service(self.zone, f"{plugin}-{self.zone.name}", plugin, options, folder)


class Fleet:
    """All processes of a drill; they end with it.

    Args:
        zones: the zones with a whole Lars each.
        witness: the zone of the database.
        folder: where everything is kept.
    """

    def __init__(self, network: Network, zones: Sequence[str], witness: str, folder: Path) -> None:
        self.network = network
        self.folder = folder
        self.zone_of: dict[str, str] = {}
        """The zone of each host's address."""
        self._stack = ExitStack()
        self.database = DatabaseNode(network.zones[witness])
        self.servers = {name: Servers(network.zones[name], self.database.url, folder) for name in zones}
        self.agents: list[Agent] = []
        self.hosts: dict[str, Program] = {}
        self.callers: dict[str, Program] = {}

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
        number = len(self.agents) + 2
        servers = [self.servers[name] for name in first]
        agent = Agent(self.network.zones[zone], f"lars-agent-{zone}{number}", number, servers, self.folder)
        self.agents.append(agent)
        return agent

    def add_caller(self, agent: Agent, module: Module, cached: bool) -> None:
        """Starts a process that calls a module with the client, which asks the agent."""
        kind = "cached" if cached else "uncached"
        name = f"caller-{agent.zone.name}-{module[0]}.{module[1]}-{kind}"
        arguments = [str(self.folder / f"{name}.calls"), agent.place, *map(str, module), kind]
        self.callers[name] = Program(agent.zone, name, "tests.drill.caller", arguments, self.folder)
        self.start([self.callers[name]])

    def lars(self, *arguments: str, stdin: str = "") -> str:
        """Runs a `lars` command on the database; what it printed. Raises LarsError if it fails."""
        environ = {**os.environ, **checkout_environ(), "LARS_DB": self.database.url}
        command = [sys.executable, "-m", "lars.cli", *arguments]
        done = subprocess.run(command, env=environ, input=stdin, capture_output=True, text=True, timeout=60)
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

    def up(self) -> None:
        """Starts the database, all servers and all agents, and waits until they answer."""
        self._stack.callback(self.database.close)
        self.database.launch()
        self.lars("db", "init")
        services = [service for servers in self.servers.values() for service in (servers.dns, servers.reporter)]
        self.start([*services, *self.agents])
        for service in services:
            service.until_it_says("answers on")
        for agent in self.agents:
            agent.up()

    def calls(self, zone: str, module: Module | None = None) -> list[Call]:
        """The calls of a zone's callers so far, of a module or of all, by their beginning."""
        found = []
        for file in self.folder.glob(f"caller-{zone}-{f'{module[0]}.{module[1]}' if module else ''}*.calls"):
            found += read_calls(file.read_text(encoding="ascii"), self.zone_of)
        return sorted(found, key=lambda call: call.began)

    def end_callers(self) -> None:
        """Ends the callers in order, so that they report all their calls."""
        for caller in self.callers.values():
            caller.terminate()
        until(lambda: all(caller.status is not None for caller in self.callers.values()), "the callers to end", READY)

    def history(self) -> tuple[int, int]:
        """The successes and failures that the history sums to."""
        sums = "SELECT COALESCE(SUM(succ_cnt), 0), COALESCE(SUM(err_cnt), 0) FROM lars.ServerCallHistory"
        (succ, err), *_ = self.database.query(sums)
        return int(succ), int(err)

    def reported(self) -> tuple[int, int]:
        """The successes and failures that the callers reported."""
        outcomes = [call.outcome for zone in self.servers for call in self.calls(zone)]
        return outcomes.count(OK), outcomes.count(FAILED)

    def host_places(self, zone: str) -> set[Place]:
        """Where the hosts of a zone listen."""
        return {(address, HOST_PORT) for address, name in self.zone_of.items() if name == zone}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
