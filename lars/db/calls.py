"""The call store: sums of calls over time, as lars-web shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.route import HostAddress, ModuleId


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls of one host in the period that begins at `at` (Unix seconds) and lasts one step."""

    at: int
    host: HostAddress
    succ: int
    err: int


@dataclass(frozen=True, slots=True)
class ModuleCalls:
    """Calls of a module or a host in a period."""

    succ: int
    err: int


Minutes = dict[int, tuple[int, int]]
"""Minute (Unix seconds) -> successes and failures of all modules."""


class CallStore:
    """Sums of calls, read only. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def minutes(self, since: int) -> Minutes:
        """Calls of all modules by minute, from the minute `since` on."""
        return await self._database.read("sum up calls", _minutes_txn, since)

    async def calls(self, modules: Sequence[ModuleId], since: int) -> dict[ModuleId, ModuleCalls]:
        """Calls of some modules from the minute `since` on; none for modules without calls."""
        return await self._database.read("sum up calls of modules", calls_txn, modules, since)

    async def history(
        self, module: ModuleId, since: int, step: int, hosts: Sequence[HostAddress] | None = None
    ) -> list[Bucket]:
        """Calls of each host of a module, or of some hundred hosts, in periods of `step` seconds, a multiple of 60."""
        return await self._database.read("read the history of calls", _history_txn, module, since, step, hosts)

    async def totals(self, module: ModuleId, since: int, step: int) -> dict[int, tuple[int, int]]:
        """Successes and failures of a module, by the begin of each period of `step` seconds, a multiple of 60."""
        return await self._database.read("sum up the history of calls", _totals_txn, module, since, step)


def _minutes_txn(txn: Transaction, since: int) -> Minutes:
    rows = txn.all(
        "SELECT minute, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory WHERE minute >= ? GROUP BY minute", (since,)
    )
    return {int(minute): (int(succ), int(err)) for minute, succ, err in rows}


def any_of(modules: Sequence[ModuleId]) -> tuple[str, list[int]]:
    """The condition that selects some modules, and its parameters."""
    return " OR ".join(["modid = ? AND cmdid = ?"] * len(modules)), [number for module in modules for number in module]


def calls_txn(txn: Transaction, modules: Sequence[ModuleId], since: int) -> dict[ModuleId, ModuleCalls]:
    """See CallStore.calls."""
    calls: dict[ModuleId, ModuleCalls] = {}
    for start in range(0, len(modules), 200):
        condition, parameters = any_of(modules[start : start + 200])
        for modid, cmdid, succ, err in txn.all(
            "SELECT modid, cmdid, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE minute >= ? AND ({condition}) GROUP BY modid, cmdid",
            [since, *parameters],
        ):
            calls[ModuleId(modid, cmdid)] = ModuleCalls(int(succ), int(err))
    return calls


def _history_txn(
    txn: Transaction, module: ModuleId, since: int, step: int, hosts: Sequence[HostAddress] | None
) -> list[Bucket]:
    if hosts is not None and not hosts:
        return []
    among = " OR ".join(["ip = ? AND port = ?"] * len(hosts)) if hosts is not None else "1 = 1"
    rows = txn.all(
        "SELECT minute - minute % ? AS start, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
        f"WHERE modid = ? AND cmdid = ? AND minute >= ? AND ({among}) GROUP BY start, ip, port",
        (step, *module, since, *(number for host in hosts or () for number in host)),
    )
    return [Bucket(int(at), HostAddress(ip, port), int(succ), int(err)) for at, ip, port, succ, err in rows]


def _totals_txn(txn: Transaction, module: ModuleId, since: int, step: int) -> dict[int, tuple[int, int]]:
    rows = txn.all(
        "SELECT minute - minute % ? AS start, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
        "WHERE modid = ? AND cmdid = ? AND minute >= ? GROUP BY start",
        (step, *module, since),
    )
    return {int(at): (int(succ), int(err)) for at, succ, err in rows}
