"""The fleet of a chaos drill: services on clocks and disks of their own, and callers by all ways.

Each agent N has modules of its own: N.1 with locality, N.2 without, and N.3 for callers of its gateway.
"""

import hashlib
import secrets
from pathlib import Path

from bench.processes.waiting import until
from tests.drill.chaos.faults import Target
from tests.drill.chaos.verdict import Asked
from tests.drill.database import DatabaseNode
from tests.drill.fleet import Caller, Fleet, Module
from tests.drill.namespaces import run
from tests.drill.network import Network
from tests.drill.processes import Service
from tests.drill.services import Machine, gateway_of
from tests.integration.stepped_clock import SteppedClock, build_shim

ZONES = ("a", "b")
WITNESS = "witness"
HOSTS = 3
"""Hosts of a zone."""

EDITED = [(99, cmdid) for cmdid in (1, 2, 3)]
"""The modules that are edited."""

PERMANENT = "10.98.0.1:80"
"""The host of these modules that no edit removes."""

PAUSE = 0.2
"""Seconds between two calls of a caller's thread."""

DISK = "2m"
"""The size of a zone's disk."""


class ChaosFleet(Fleet):
    """Two zones with everything in each, and the zone of the database.

    Attributes:
        clocks: the wall clocks of the zones' services.
        disks: the folders of their file systems.
    """

    def __init__(self, folder: Path) -> None:
        network = Network(*ZONES, WITNESS)
        shim = build_shim(folder)
        self.clocks = {zone: SteppedClock(shim, folder / f"clock-{zone}") for zone in ZONES}
        self.disks = {zone: _new_disk(folder / f"disk-{zone}") for zone in ZONES}
        machines = {
            zone: Machine(network.zones[zone], folder, self.disks[zone], self.clocks[zone].environ) for zone in ZONES
        }
        super().__init__(network, machines, DatabaseNode(network.zones[WITNESS]), folder)
        self._gateways: dict[str, Service] = {}

    def begin(self) -> None:
        """Starts everything; returns when all callers make calls."""
        pairs = [
            (self.add_agent(zone, zone, other), self.add_agent(zone, other, zone))
            for zone, other in (ZONES, ZONES[::-1])
        ]
        hosts = [self.add_host(zone) for zone in ZONES for _ in range(HOSTS)]
        self._gateways = {own.zone.name: gateway_of(self.machines[own.zone.name], own) for own, _ in pairs}
        self.up(*(servers.web for servers in self.servers.values()), *self._gateways.values())
        self.add_routes(self.called(), hosts)
        for module in EDITED:
            self.lars("route", "add", *map(str, module), PERMANENT)
        for own, other_first in pairs:
            for cmdid, way in ((1, "cached"), (2, "cached"), (2, "uncached"), (3, "gateway")):
                self.add_caller(own, (own.number, cmdid), way, PAUSE)
            for cmdid, way in ((1, "uncached"), (2, "cached")):
                self.add_caller(other_first, (other_first.number, cmdid), way, PAUSE)
        until(lambda: all(self.calls_of(caller) for caller in self.callers), "the first calls", 20, 0.1)

    def called(self) -> list[Module]:
        """The modules that have real hosts."""
        return [(agent.number, cmdid) for agent in self.agents for cmdid in (1, 2, 3)]

    def targets(self) -> dict[str, Target]:
        """The processes that may be killed and stopped, by name."""
        services = [service for servers in self.servers.values() for service in (*servers, servers.web)]
        targets = [Target(each, "answers on") for each in [*services, *self.agents, *self._gateways.values()]]
        targets += [Target(host, "listens") for host in self.hosts.values()]
        targets += [Target(node, "ready for connections") for node in self.database.nodes]
        return {target.process.name: target for target in targets}

    def asked(self, caller: Caller) -> Asked:
        """Whom a caller asks for hosts."""
        by_gateway = caller.way == "gateway"
        gateways = [self._gateways[caller.zone.name].name] if by_gateway else []
        return Asked(caller.zone.name, [caller.agent.name, *gateways], by_gateway)

    def new_token(self) -> str:
        """A new token of an editor for the API."""
        token = f"lars_{secrets.token_urlsafe(32)}"
        digest = hashlib.sha256(token.encode()).hexdigest()
        user = "INSERT INTO User (name, password, role, created_at) VALUES ('chaos', '', 'editor', 0)"
        columns = "digest, name, user_name, role, created_at"
        self.database.query(user, (), "lars")
        self.database.query(
            f"INSERT INTO ApiToken ({columns}) VALUES (%s, 'edits', 'chaos', 'editor', 0)", (digest,), "lars"
        )
        return token


def _new_disk(folder: Path) -> Path:
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", str(folder))
    return folder
