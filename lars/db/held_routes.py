"""The store of held routes: which version of each route each agent has, and how far a change has come.

See docs/design/reporter.md, views.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from lars.db.audit import Edit
from lars.db.database import Database
from lars.db.engine import Row, Transaction
from lars.db.reports import STALE_AFTER, VALID
from lars.route import ModuleId


@dataclass(frozen=True, slots=True)
class HeldRoute:
    """A route that an agent holds.

    Attributes:
        module: whose route it is.
        version: the version that the agent was sent; 0 if its lars-dns does not say.
        changed: the newest version that changed what agents are sent of it, as far as the audit says; or `version`.
    """

    module: ModuleId
    version: int
    changed: int

    @property
    def behind(self) -> bool:
        """Whether the route has changed since."""
        return 0 < self.version < self.changed


@dataclass(frozen=True, slots=True)
class Waiting:
    """An agent that does not have a change yet: its address and name, and the version it has of the module."""

    caller: int
    hostname: str
    module: ModuleId
    version: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a change has come.

    Attributes:
        version: of the change.
        modules: those that it changed for agents.
        agents: agents that hold a route of these modules, are heard of, and say which.
        have: those of them that have it, or something newer.
        unknown: agents that hold one and do not say of which version it is, because of their lars-dns.
        waiting: those that do not have it, some of them.
    """

    version: int
    modules: tuple[ModuleId, ...]
    agents: int
    have: int
    unknown: int
    waiting: tuple[Waiting, ...]


WAITING_SHOWN = 100
"""Agents in Progress.waiting, at most."""


class HeldRouteStore:
    """Which agents hold which routes, read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_agent(self, caller: int, limit: int) -> list[HeldRoute]:
        """The routes that an agent holds, in the order of their modules."""
        return await self._database.read("read the routes of an agent", _of_agent_txn, caller, limit)

    async def progress(self, version: int) -> Progress:
        """How far the change of a version has come."""
        return await self._database.read("follow a change", _progress_txn, version)


def _of_agent_txn(txn: Transaction, caller: int, limit: int) -> list[HeldRoute]:
    now = int(txn.now())
    rows = txn.all(
        "SELECT r.modid, r.cmdid, r.version FROM CallerRoute r LEFT JOIN AgentInfo i ON i.caller = r.caller "
        "WHERE r.caller = ? AND r.ts >= ? AND r.ts >= COALESCE(i.started_at, 0) ORDER BY r.modid, r.cmdid LIMIT ?",
        (caller, now - VALID, limit),
    )
    newer = txn.all(
        "SELECT a.modid, a.cmdid, a.version, a.hosts_before, a.hosts_after FROM CallerRoute r JOIN RouteAudit a "
        "ON a.modid = r.modid AND a.cmdid = r.cmdid AND a.what = 'hosts' AND a.version > r.version "
        "WHERE r.caller = ? AND r.ts >= ? AND r.version > 0 ORDER BY a.version",
        (caller, now - VALID),
    )
    changed = {
        (modid, cmdid): int(version)
        for modid, cmdid, version, before, after in newer
        if Edit("hosts", modid, cmdid, str(before), str(after)).reaches_agents
    }
    return [
        HeldRoute(ModuleId(modid, cmdid), int(version), changed.get((modid, cmdid), int(version)))
        for modid, cmdid, version in rows
    ]


def _changed_txn(txn: Transaction, version: int) -> tuple[ModuleId, ...]:
    """The modules of which agents are sent what a version changed."""
    changed = txn.all("SELECT DISTINCT modid, cmdid FROM RouteChange WHERE version = ?", (version,))
    edits = txn.all(
        "SELECT modid, cmdid, hosts_before, hosts_after FROM RouteAudit WHERE version = ? AND what = 'hosts'",
        (version,),
    )
    reaching = {ModuleId(modid, cmdid): False for modid, cmdid, _before, _after in edits}
    for modid, cmdid, before, after in edits:
        if Edit("hosts", modid, cmdid, str(before), str(after)).reaches_agents:
            reaching[ModuleId(modid, cmdid)] = True
    for modid, cmdid in changed:  # also by the C++ tools, which write no audit
        reaching.setdefault(ModuleId(modid, cmdid), True)
    return tuple(sorted(module for module, reaches in reaching.items() if reaches))


def _progress_txn(txn: Transaction, version: int) -> Progress:
    modules = _changed_txn(txn, version)
    now = int(txn.now())
    held: list[Row] = []
    for start in range(0, len(modules), 200):
        held += _held_txn(txn, modules[start : start + 200], now)
    lowest: dict[int, Waiting] = {}
    for caller, hostname, modid, cmdid, holds in held:
        one = Waiting(int(caller), str(hostname), ModuleId(modid, cmdid), int(holds))
        if caller not in lowest or one.version < lowest[caller].version:
            lowest[caller] = one
    unknown = sum(not one.version for one in lowest.values())
    waiting = [one for one in lowest.values() if 0 < one.version < version]
    agents = len(lowest) - unknown
    return Progress(version, modules, agents, agents - len(waiting), unknown, tuple(waiting[:WAITING_SHOWN]))


def _held_txn(txn: Transaction, modules: Sequence[ModuleId], now: int) -> list[Row]:
    condition = " OR ".join(["r.modid = ? AND r.cmdid = ?"] * len(modules))
    return txn.all(
        "SELECT r.caller, COALESCE(i.hostname, ''), r.modid, r.cmdid, r.version FROM CallerRoute r "
        "JOIN CallerSeen c ON c.caller = r.caller AND c.ts >= ? LEFT JOIN AgentInfo i ON i.caller = r.caller "
        f"WHERE r.ts >= ? AND r.ts >= COALESCE(i.started_at, 0) AND ({condition}) ORDER BY r.version, r.caller",
        [now - STALE_AFTER, now - VALID, *(number for module in modules for number in module)],
    )
