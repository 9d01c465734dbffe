"""The report store: calls and states of hosts, as the `lars` command shows them.

See docs/design/reporter.md, what is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.hosts import host_rows_txn
from lars.host_condition import Condition, condition_of
from lars.host_record import PLAIN, HostRecord
from lars.route import HostAddress, ModuleId


class HostSeenBy(NamedTuple):
    """A state of a host, how many callers see it so, why one of them does, and since when (Unix seconds) the first."""

    condition: Condition
    callers: int
    reason: str
    since: int


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host of one module as `lars status` shows it.

    Counts are over the chosen period, or, if `latest`, sums of the latest report of each caller in it: a C++ reporter
    keeps no history. `callers` have reported in the last STALE_AFTER seconds, and `overloaded_at` of
    them have ejected the host; `last_report` is in Unix seconds, 0 if there is none. `record` is what operators keep
    with the host; PLAIN if it is no longer in the route. `seen` has the states of callers that do not see it as
    healthy, that of most callers first.
    """

    modid: int
    cmdid: int
    ip: int
    port: int
    succ: int
    err: int
    callers: int
    overloaded_at: int
    last_report: int
    latest: bool = False
    record: HostRecord = PLAIN
    seen: tuple[HostSeenBy, ...] = ()


STALE_AFTER = 180
"""Seconds without a report after which the states of a caller are ignored."""

VALID = 7_200
"""Seconds for which what a caller has said of hosts holds while it is heard of: it says all again every hour."""


class MinuteCalls(NamedTuple):
    """Calls of one minute; `approximate` of them are derived from the running counters of C++ agents."""

    succ: int
    err: int
    approximate: int


@dataclass(frozen=True, slots=True)
class HostHistory:
    """The calls of one host of one module by minute (Unix seconds, a multiple of 60), without minutes without calls."""

    module: ModuleId
    host: HostAddress
    minutes: dict[int, MinuteCalls]


class Clocks(NamedTuple):
    """The database's clock in Unix seconds, and by how many seconds the clocks of some callers are ahead."""

    now: float
    skews: dict[int, int]


class ReportStore:
    """Reports in the database; modid and cmdid None select all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def status(self, modid: int | None, cmdid: int | None, since: int, now: float) -> list[HostStatus]:
        """The state of each host, with its calls from the minute of `since` (Unix seconds) on."""
        return await self._database.read("read call status", _status_txn, modid, cmdid, since, now)

    async def clocks(self, least: float) -> Clocks:
        """The database's clock, and the callers whose clocks are at least so many seconds off."""
        return await self._database.read("read clocks", _clocks_txn, least)

    async def history(self, modid: int | None, cmdid: int | None, since: int) -> list[HostHistory]:
        """The calls of each host from the minute of `since` (Unix seconds) on, ordered by module, ip and port."""
        return await self._database.read("read call history", _history_txn, modid, cmdid, since)


def _status_txn(txn: Transaction, modid: int | None, cmdid: int | None, since: int, now: float) -> list[HostStatus]:
    conditions, parameters = _of(modid, cmdid)
    counts = {
        tuple(row[:4]): (int(row[4]), int(row[5]))
        for row in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE {' AND '.join(['minute >= ?', *conditions])} GROUP BY modid, cmdid, ip, port",
            [since - since % 60, *parameters],
        )
    }
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    states: dict[tuple[int, ...], tuple[int, int, int]] = {}
    latest: dict[tuple[int, ...], tuple[int, int]] = {}
    for *key, callers, overloaded_at, last_report, succ, err in txn.all(
        "SELECT modid, cmdid, ip, port, SUM(ts >= ?), SUM(overload = '1' AND ts >= ?), MAX(ts), "
        "SUM(CASE WHEN ts >= ? THEN succ_cnt ELSE 0 END), SUM(CASE WHEN ts >= ? THEN err_cnt ELSE 0 END) "
        f"FROM ServerCallStatus {where} GROUP BY modid, cmdid, ip, port",
        [int(now) - STALE_AFTER, int(now) - STALE_AFTER, since, since, *parameters],
    ):
        states[tuple(key)] = int(callers), int(overloaded_at or 0), int(last_report)
        if tuple(key) not in counts and (succ or err):
            latest[tuple(key)] = int(succ), int(err)
    where = f"WHERE {' AND '.join(['(zone <> ? OR weight <> ?)', *conditions])}"
    records = {
        (*key, ip, port): record
        for *key, ip, port, record in host_rows_txn(txn, where, [PLAIN.zone, PLAIN.weight, *parameters])
    }
    seen = seen_by_txn(txn, conditions, parameters, now)
    hosts = []
    for host in sorted(counts.keys() | states.keys()):
        calls = counts.get(host) or latest.get(host, (0, 0))
        of_modid, of_cmdid, ip, port = host
        state = states.get(host, (0, 0, 0))
        record = records.get(host, PLAIN)
        views = seen.get((ModuleId(of_modid, of_cmdid), HostAddress(ip, port)), ())
        hosts.append(HostStatus(of_modid, of_cmdid, ip, port, *calls, *state, host in latest, record, views))
    return hosts


def seen_by_txn(
    txn: Transaction, conditions: Sequence[str], parameters: Sequence[int], now: float
) -> dict[tuple[ModuleId, HostAddress], tuple[HostSeenBy, ...]]:
    """How the callers that are heard of see hosts that they do not see as healthy, by module and host.

    Args:
        txn: the transaction.
        conditions: those on modid and cmdid that select modules.
        parameters: of the conditions.
        now: Unix seconds.
    """
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, state, COUNT(*) AS callers, MAX(reason), MIN(since) FROM CallerHost h "
        "JOIN CallerSeen c ON c.caller = h.caller AND c.ts >= ? LEFT JOIN AgentInfo i ON i.caller = h.caller "
        "WHERE h.ts >= ? AND h.ts >= COALESCE(i.started_at, 0) "
        f"AND {' AND '.join(['state <> ?', *conditions])} "
        "GROUP BY modid, cmdid, ip, port, state ORDER BY callers DESC, state",
        [int(now) - STALE_AFTER, int(now) - VALID, Condition.HEALTHY, *parameters],
    )
    found: dict[tuple[ModuleId, HostAddress], tuple[HostSeenBy, ...]] = {}
    for modid, cmdid, ip, port, state, callers, reason, since in rows:
        key = (ModuleId(modid, cmdid), HostAddress(ip, port))
        seen = HostSeenBy(condition_of(state, Condition.EJECTED), int(callers), str(reason), int(since))
        found[key] = (*found.get(key, ()), seen)
    return found


def _clocks_txn(txn: Transaction, least: float) -> Clocks:
    now = txn.now()
    rows = txn.all(
        "SELECT caller, skew FROM CallerSeen WHERE ts >= ? AND (skew >= ? OR skew <= ?) ORDER BY caller",
        (int(now) - STALE_AFTER, least, -least),
    )
    return Clocks(now, {int(caller): int(skew) for caller, skew in rows})


def _history_txn(txn: Transaction, modid: int | None, cmdid: int | None, since: int) -> list[HostHistory]:
    conditions, parameters = _of(modid, cmdid)
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, minute, succ_cnt, err_cnt, approximate FROM ServerCallHistory "
        f"WHERE {' AND '.join(['minute >= ?', *conditions])} ORDER BY modid, cmdid, ip, port, minute",
        [since - since % 60, *parameters],
    )
    hosts: dict[tuple[int, ...], HostHistory] = {}
    for of_modid, of_cmdid, ip, port, minute, *counts in rows:
        key = (of_modid, of_cmdid, ip, port)
        host = hosts.get(key)
        if host is None:
            host = hosts[key] = HostHistory(ModuleId(of_modid, of_cmdid), HostAddress(ip, port), {})
        host.minutes[minute] = MinuteCalls(*map(int, counts))
    return list(hosts.values())


def _of(modid: int | None, cmdid: int | None) -> tuple[list[str], list[int]]:
    """The conditions, and their parameters, that select all modules, those of one modid, or one module."""
    chosen = {column: value for column, value in (("modid", modid), ("cmdid", cmdid)) if value is not None}
    return [f"{column} = ?" for column in chosen], list(chosen.values())
