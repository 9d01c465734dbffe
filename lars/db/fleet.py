"""The fleet store: the whole fleet at one moment, as the overview of lars-web shows it."""

from collections.abc import Sequence
from dataclasses import dataclass

from lars.db.agents import Agent, agents_txn
from lars.db.alarms import Alarm, newest_txn
from lars.db.calls import ModuleCalls, calls_txn
from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.modules import host_counts_txn, joined_name, names_txn
from lars.db.reports import STALE_AFTER
from lars.route import ModuleId


@dataclass(frozen=True, slots=True)
class Trouble:
    """A module with ejected hosts, or with more than 1% of its calls in the window failed."""

    module: ModuleId
    name: str
    hosts: int
    overloaded: int
    succ: int
    err: int


@dataclass(frozen=True, slots=True)
class Fleet:
    """The fleet at one moment; lists hold at most LISTED items, agents the longest silent first."""

    trouble: tuple[Trouble, ...]
    overloaded: int
    agents: tuple[Agent, ...]
    agents_count: int
    agents_silent: int
    alarms: tuple[Alarm, ...]
    alarms_count: int


LISTED = 50
"""Modules in trouble, agents and alarms on the overview at most."""


class FleetStore:
    """The fleet, read only. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fleet(self, now: float, window: int) -> Fleet:
        """What the overview shows, with calls of the last `window` seconds."""
        return await self._database.read("read the fleet's state", _fleet_txn, now, window)

    async def sizes(self) -> tuple[int, int]:
        """The number of modules, and of hosts in all of them."""
        return await self._database.read("count modules and hosts", _sizes_txn)


def _fleet_txn(txn: Transaction, now: float, window: int) -> Fleet:
    recent = int(now) - STALE_AFTER
    overloaded: dict[ModuleId, set[tuple[int, int]]] = {}
    for modid, cmdid, ip, port in txn.all(
        "SELECT DISTINCT modid, cmdid, ip, port FROM ServerCallStatus WHERE overload = '1' AND ts >= ?", (recent,)
    ):
        overloaded.setdefault(ModuleId(modid, cmdid), set()).add((ip, port))
    since = (int(now) - window) // 60 * 60
    failing = {
        ModuleId(modid, cmdid): ModuleCalls(int(succ), int(err))
        for modid, cmdid, succ, err in txn.all(
            "SELECT modid, cmdid, SUM(succ_cnt), SUM(err_cnt) AS errors FROM ServerCallHistory WHERE minute >= ? "
            "GROUP BY modid, cmdid HAVING SUM(err_cnt) * 100 > SUM(succ_cnt + err_cnt) ORDER BY errors DESC LIMIT ?",
            (since, LISTED),
        )
    }
    worst = sorted(overloaded, key=lambda module: (-len(overloaded[module]), module))[:LISTED]
    modules = sorted({*worst, *failing})
    calls = failing | calls_txn(txn, [module for module in worst if module not in failing], since)
    agents_count, silent = txn.one("SELECT COUNT(*), SUM(ts < ?) FROM CallerSeen", (recent,)) or (0, 0)
    active = txn.one("SELECT COUNT(*) FROM Alarm WHERE cleared_at = 0") or (0,)
    return Fleet(
        _troubles(txn, modules, overloaded, calls),
        sum(map(len, overloaded.values())),
        tuple(agents_txn(txn, LISTED)),
        int(agents_count),
        int(silent or 0),
        tuple(newest_txn(txn, True, LISTED)),
        int(active[0]),
    )


def _troubles(
    txn: Transaction,
    modules: Sequence[ModuleId],
    overloaded: dict[ModuleId, set[tuple[int, int]]],
    calls: dict[ModuleId, ModuleCalls],
) -> tuple[Trouble, ...]:
    """Modules in trouble, the worst first: by the ratio of ejected hosts, then by the error rate."""
    modids, cmdids = names_txn(txn, modules)
    hosts = host_counts_txn(txn, modules)
    found = []
    for m in modules:
        name = joined_name(modids.get(m.modid), cmdids.get(m.cmdid))
        counted = calls.get(m, ModuleCalls(0, 0))
        found.append(Trouble(m, name, hosts.get(m, 0), len(overloaded.get(m, ())), counted.succ, counted.err))
    return tuple(
        sorted(
            found,
            key=lambda t: (-t.overloaded / max(1, t.hosts), -t.err / max(1, t.succ + t.err), -t.err, t.module),
        )
    )


def _sizes_txn(txn: Transaction) -> tuple[int, int]:
    row = txn.one(
        "SELECT COUNT(*), SUM(hosts) FROM (SELECT COUNT(*) AS hosts FROM RouteData GROUP BY modid, cmdid) AS modules"
    )
    return (int(row[0]), int(row[1] or 0)) if row else (0, 0)
