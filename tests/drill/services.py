"""The services of Lars in a zone, with the options that drills give them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.drill import gateway_client
from tests.drill.network import Zone
from tests.drill.processes import Service

DNS_PORT, REPORTER_PORT, WEB_PORT = 7778, 7779, 7780


@dataclass(frozen=True, slots=True)
class Machine:
    """What the services of a zone run on.

    Attributes:
        zone: where it is.
        logs: the folder of logs, conf files and metrics' sockets.
        disk: the folder in which services keep what outlives them.
        environ: the environment of services, besides that of the drill.
    """

    zone: Zone
    logs: Path
    disk: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    def service(self, name: str, plugin: str, *options: str) -> Service:
        """A service on it, which is not started."""
        return Service(self.zone, name, plugin, options, self.logs, self.environ)


class Servers:
    """The servers of a zone, all at one address: lars-dns, lars-reporter and lars-web."""

    def __init__(self, machine: Machine, database_url: str) -> None:
        self.address = machine.zone.address()
        name, at = machine.zone.name, f"interface={self.address}"
        database = f"--db={database_url}"
        dns = [f"--listen=tcp:{DNS_PORT}:{at}", f"--save={machine.disk}/dns-table"]
        self.dns = machine.service(f"lars-dns-{name}", "lars-dns", database, *dns)
        reporter = f"--listen=tcp:{REPORTER_PORT}:{at}"
        self.reporter = machine.service(f"lars-reporter-{name}", "lars-reporter", database, reporter)
        self.web = machine.service(f"lars-web-{name}", "lars-web", database, f"--listen=tcp:{WEB_PORT}:{at}")

    def __iter__(self) -> Iterator[Service]:
        """Those that agents need."""
        return iter((self.dns, self.reporter))


class Agent(Service):
    """A lars-agent on a loopback address of its zone.

    Args:
        machine: where it runs.
        number: of all agents, from 2; its modules are NUMBER.1 with locality and NUMBER.2 without.
        servers: those that it tries, in turn.
    """

    def __init__(self, machine: Machine, number: int, servers: Sequence[Servers]) -> None:
        self.number = number
        self.place = f"127.0.0.{number}:8888"
        self.state_dir = machine.disk / f"agent-{number}"
        name = f"lars-agent-{machine.zone.name}{number}"
        conf = machine.logs / f"{name}.conf"
        spread = f"{number}.2"
        conf.write_text(
            f"[agent]\nlisten = {self.place}\ncaller = {machine.zone.address()}\nstate_dir = {self.state_dir}\n"
            "report_interval = 1\nheartbeat_interval = 1\n"
            f"[dnsserver]\nservers = {', '.join(f'{s.address}:{DNS_PORT}' for s in servers)}\n"
            f"[reporter]\nservers = {', '.join(f'{s.address}:{REPORTER_PORT}' for s in servers)}\n"
            f"[balance]\nzone = {machine.zone.name}\n"
            f"modules = {spread}:round_robin\nsettings = {spread} locality.enabled=false\n",
            encoding="utf-8",
        )
        super().__init__(machine.zone, name, "lars-agent", [f"--config={conf}"], machine.logs, machine.environ)

    def until_linked(self) -> None:
        """Waits until it answers and is linked, after its first start."""
        for text in ("lars-agent answers on", "linked to lars-dns", "linked to lars-reporter"):
            self.until_it_says(text)


def gateway_of(machine: Machine, agent: Agent) -> Service:
    """A lars-gateway that asks an agent, and is asked at the agent's loopback address."""
    listen = f"tcp:{gateway_client.PORT}:interface={agent.place.partition(':')[0]}"
    options = [f"--agent={agent.place}", f"--listen={listen}", "--dns="]
    return machine.service(f"lars-gateway-{machine.zone.name}", "lars-gateway", *options)
