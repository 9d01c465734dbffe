"""The call store: what lars-web shows of calls, states of hosts, agents and alarms."""

from collections.abc import Sequence
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.modules import Module, host_counts_txn, module_txn, names_txn
from lars.db.reports import STALE_AFTER
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
    """A module as the live pages show it; states and calls include hosts that are no longer in its route."""

    module: Module
    states: dict[HostAddress, HostState]
    calls: dict[HostAddress, ModuleCalls]


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
class Agent:
    """A caller's address, and the time of its latest report in Unix seconds."""

    ip: int
    seen_at: int


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm; numbers that do not apply are 0, `cleared_at` is 0 while it is active. Times are in Unix seconds."""

    id: int
    rule: str
    what: str
    modid: int
    cmdid: int
    ip: int
    port: int
    caller: int
    text: str
    raised_at: int
    cleared_at: int


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


Minutes = dict[int, tuple[int, int]]
"""Minute (Unix seconds) -> successes and failures of all modules."""

LISTED = 50
"""Modules in trouble, agents and alarms on the overview at most."""


class CallStore:
    """Calls, states, agents and alarms, read only. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def minutes(self, since: int) -> Minutes:
        """Calls of all modules by minute, from the minute `since` on."""
        return await self._database.read("sum up calls", _minutes_txn, since)

    async def fleet(self, now: float, window: int) -> Fleet:
        """What the overview shows, with calls of the last `window` seconds."""
        return await self._database.read("read the fleet's state", _fleet_txn, now, window)

    async def sizes(self) -> tuple[int, int]:
        """The number of modules, and of hosts in all of them."""
        return await self._database.read("count modules and hosts", _sizes_txn)

    async def states(self, modules: Sequence[ModuleId], now: float) -> dict[ModuleId, dict[HostAddress, HostState]]:
        """The state of each host of some modules."""
        return await self._database.read("read states of hosts", _states_txn, modules, now)

    async def watched(self, modules: Sequence[ModuleId], now: float, since: int) -> dict[ModuleId, "Watched"]:
        """Hosts, states and calls (from the minute `since` on) of some modules, as of one moment."""
        return await self._database.read("read watched modules", _watched_txn, modules, now, since)

    async def calls(self, modules: Sequence[ModuleId], since: int) -> dict[ModuleId, ModuleCalls]:
        """Calls of some modules from the minute `since` on; none for modules without calls."""
        return await self._database.read("sum up calls of modules", _calls_txn, modules, since)

    async def history(self, module: ModuleId, since: int, step: int) -> list[Bucket]:
        """Calls of each host of a module in periods of `step` seconds, a multiple of 60."""
        return await self._database.read("read the history of calls", _history_txn, module, since, step)

    async def agents(self, limit: int) -> list[Agent]:
        """Agents, the longest silent first."""
        return await self._database.read("list agents", _agents_txn, limit)

    async def alarms(self, active: bool, limit: int) -> list[Alarm]:
        """Active alarms (`active`), or cleared ones; newest first."""
        return await self._database.read("list alarms", _alarms_txn, active, limit)


def _minutes_txn(txn: Transaction, since: int) -> Minutes:
    rows = txn.all(
        "SELECT minute, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory WHERE minute >= ? GROUP BY minute", (since,)
    )
    return {int(minute): (int(succ), int(err)) for minute, succ, err in rows}


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
    calls = failing | _calls_txn(txn, [module for module in worst if module not in failing], since)
    agents_count, silent = txn.one("SELECT COUNT(*), SUM(ts < ?) FROM CallerSeen", (recent,)) or (0, 0)
    active = txn.one("SELECT COUNT(*) FROM Alarm WHERE cleared_at = 0") or (0,)
    return Fleet(
        _troubles(txn, modules, overloaded, calls),
        sum(map(len, overloaded.values())),
        tuple(_agents_txn(txn, LISTED)),
        int(agents_count),
        int(silent or 0),
        tuple(_alarms_txn(txn, True, LISTED)),
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
        name = " / ".join(filter(None, (modids.get(m.modid), cmdids.get(m.cmdid))))
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


def _any_of(modules: Sequence[ModuleId]) -> tuple[str, list[int]]:
    return " OR ".join(["modid = ? AND cmdid = ?"] * len(modules)), [number for module in modules for number in module]


def _states_txn(
    txn: Transaction, modules: Sequence[ModuleId], now: float
) -> dict[ModuleId, dict[HostAddress, HostState]]:
    recent = int(now) - STALE_AFTER
    states: dict[ModuleId, dict[HostAddress, HostState]] = {module: {} for module in modules}
    for start in range(0, len(modules), 200):
        condition, parameters = _any_of(modules[start : start + 200])
        for modid, cmdid, ip, port, callers, ejected, last in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(ts >= ?), SUM(overload = '1' AND ts >= ?), MAX(ts) "
            f"FROM ServerCallStatus WHERE {condition} GROUP BY modid, cmdid, ip, port",
            [recent, recent, *parameters],
        ):
            state = HostState(int(callers or 0), int(ejected or 0), int(last))
            states[ModuleId(modid, cmdid)][HostAddress(ip, port)] = state
    return states


def _calls_txn(txn: Transaction, modules: Sequence[ModuleId], since: int) -> dict[ModuleId, ModuleCalls]:
    calls: dict[ModuleId, ModuleCalls] = {}
    for start in range(0, len(modules), 200):
        condition, parameters = _any_of(modules[start : start + 200])
        for modid, cmdid, succ, err in txn.all(
            "SELECT modid, cmdid, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE minute >= ? AND ({condition}) GROUP BY modid, cmdid",
            [since, *parameters],
        ):
            calls[ModuleId(modid, cmdid)] = ModuleCalls(int(succ), int(err))
    return calls


def _watched_txn(txn: Transaction, modules: Sequence[ModuleId], now: float, since: int) -> dict[ModuleId, Watched]:
    states = _states_txn(txn, modules, now)
    calls: dict[ModuleId, dict[HostAddress, ModuleCalls]] = {module: {} for module in modules}
    for start in range(0, len(modules), 200):
        condition, parameters = _any_of(modules[start : start + 200])
        for modid, cmdid, ip, port, succ, err in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE minute >= ? AND ({condition}) GROUP BY modid, cmdid, ip, port",
            [since, *parameters],
        ):
            calls[ModuleId(modid, cmdid)][HostAddress(ip, port)] = ModuleCalls(int(succ), int(err))
    return {module: Watched(module_txn(txn, module), states[module], calls[module]) for module in modules}


def _history_txn(txn: Transaction, module: ModuleId, since: int, step: int) -> list[Bucket]:
    rows = txn.all(
        "SELECT minute - minute % ? AS start, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
        "WHERE modid = ? AND cmdid = ? AND minute >= ? GROUP BY start, ip, port",
        (step, *module, since),
    )
    return [Bucket(int(at), HostAddress(ip, port), int(succ), int(err)) for at, ip, port, succ, err in rows]


def _agents_txn(txn: Transaction, limit: int) -> list[Agent]:
    return [Agent(*row) for row in txn.all("SELECT caller, ts FROM CallerSeen ORDER BY ts, caller LIMIT ?", (limit,))]


def _alarms_txn(txn: Transaction, active: bool, limit: int) -> list[Alarm]:
    order = "raised_at" if active else "cleared_at"
    rows = txn.all(
        "SELECT id, rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at FROM Alarm "
        f"WHERE cleared_at {'=' if active else '<>'} 0 ORDER BY {order} DESC, id DESC LIMIT ?",
        (limit,),
    )
    return [Alarm(*row) for row in rows]
