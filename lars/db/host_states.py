"""The host state store: how callers see hosts, and modules as live pages watch them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lars.db.calls import ModuleCalls, any_of
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.modules import Module, module_txn
from lars.db.reports import STALE_AFTER, HostSeenBy, seen_by_txn
from lars.route import HostAddress, ModuleId


@dataclass(frozen=True, slots=True)
class HostState:
    """A host as the callers that have reported in the last STALE_AFTER seconds see it.

    `overloaded_at` of them have ejected it; `last_report` is in Unix seconds.
    """

    callers: int
    overloaded_at: int
    last_report: int


@dataclass(frozen=True, slots=True)
class Watched:
    """A module as the live pages show it; states and calls include hosts that are no longer in its route.

    `seen` says how callers see hosts that they do not see as healthy.
    """

    module: Module
    states: dict[HostAddress, HostState]
    calls: dict[HostAddress, ModuleCalls]
    seen: Mapping[HostAddress, tuple[HostSeenBy, ...]] = field(default_factory=dict)


class HostStateStore:
    """States of hosts, read only. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self, modules: Sequence[ModuleId], now: float) -> dict[ModuleId, dict[HostAddress, HostState]]:
        """The state of each host of some modules."""
        return await self._database.read("read states of hosts", _states_txn, modules, now)

    async def watched(self, modules: Sequence[ModuleId], now: float, since: int) -> dict[ModuleId, Watched]:
        """Hosts, states and calls (from the minute `since` on) of some modules, as of one moment."""
        return await self._database.read("read watched modules", _watched_txn, modules, now, since)


def _states_txn(
    txn: Transaction, modules: Sequence[ModuleId], now: float
) -> dict[ModuleId, dict[HostAddress, HostState]]:
    recent = int(now) - STALE_AFTER
    states: dict[ModuleId, dict[HostAddress, HostState]] = {module: {} for module in modules}
    for start in range(0, len(modules), 200):
        condition, parameters = any_of(modules[start : start + 200])
        for modid, cmdid, ip, port, callers, ejected, last in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(ts >= ?), SUM(overload = '1' AND ts >= ?), MAX(ts) "
            f"FROM ServerCallStatus WHERE {condition} GROUP BY modid, cmdid, ip, port",
            [recent, recent, *parameters],
        ):
            state = HostState(int(callers or 0), int(ejected or 0), int(last))
            states[ModuleId(modid, cmdid)][HostAddress(ip, port)] = state
    return states


def _watched_txn(txn: Transaction, modules: Sequence[ModuleId], now: float, since: int) -> dict[ModuleId, Watched]:
    states = _states_txn(txn, modules, now)
    calls: dict[ModuleId, dict[HostAddress, ModuleCalls]] = {module: {} for module in modules}
    for start in range(0, len(modules), 200):
        condition, parameters = any_of(modules[start : start + 200])
        for modid, cmdid, ip, port, succ, err in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE minute >= ? AND ({condition}) GROUP BY modid, cmdid, ip, port",
            [since, *parameters],
        ):
            calls[ModuleId(modid, cmdid)][HostAddress(ip, port)] = ModuleCalls(int(succ), int(err))
    seen: dict[ModuleId, dict[HostAddress, tuple[HostSeenBy, ...]]] = {module: {} for module in modules}
    for start in range(0, len(modules), 200):
        condition, parameters = any_of(modules[start : start + 200])
        for (module, host), views in seen_by_txn(txn, [f"({condition})"], parameters, now).items():
            seen[module][host] = views
    return {module: Watched(module_txn(txn, module), states[module], calls[module], seen[module]) for module in modules}
