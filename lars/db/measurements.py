"""The measurements that alarm rules are evaluated on (docs/design/reporter.md, alarms)."""

from collections.abc import Collection
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.reports import STALE_AFTER
from lars.db.routes import hosts_of_txn
from lars.route import HostAddress, ModuleId


class Subject(NamedTuple):
    """The subject of an alarm: a module, a host of a module, or a caller; numbers that do not apply are 0."""

    modid: int = 0
    cmdid: int = 0
    ip: int = 0
    port: int = 0
    caller: int = 0


class HostCalls(NamedTuple):
    """Calls of a host, or of a module if ip and port are 0."""

    modid: int
    cmdid: int
    ip: int
    port: int
    succ: int
    err: int


class HostStates(NamedTuple):
    """How many callers know of a host, how many of them have ejected it, and how many have reported on it lately."""

    modid: int
    cmdid: int
    ip: int
    port: int
    callers: int
    overloaded_at: int
    reported: int


class CallerSeen(NamedTuple):
    """The time of a caller's latest report, in Unix seconds."""

    caller: int
    ts: int


STATE_AGE = 3600
"""Seconds for which the state that a caller has reported holds while the caller is heard of."""


class Measurements:
    """Calls, states and callers, read only. Times are in Unix seconds by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(self, since: int, until: int, per_host: bool) -> list[HostCalls]:
        """Calls from the minute of `since` to that of `until`, by host or by module.

        Later minutes may be there after the database's clock was set back.
        """
        return await self._database.read("read error rates for alarms", _calls_txn, since, until, per_host)

    async def states(self, now: int) -> list[HostStates]:
        """The states of hosts: those of callers that report on the host, or that are heard of and did within an hour.

        Agents report a module only when it is called or a state changes, so a caller that is up keeps its states.
        """
        return await self._database.read("read host states for alarms", _states_txn, now)

    async def callers_seen(self, before: int) -> list[CallerSeen]:
        """The callers whose latest report is older than `before`."""
        return await self._database.read("read silent callers for alarms", _callers_txn, before)

    async def known_callers(self, callers: Collection[int]) -> set[int]:
        """Those of some callers that have reported and are not forgotten."""
        return await self._database.read("look for callers of alarms", _known_callers_txn, callers)

    async def unrouted(self, subjects: Collection[Subject]) -> set[Subject]:
        """Those subjects that somebody took out of the routes: hosts, and modules that had routes."""
        return await self._database.read("look for removed hosts of alarms", unrouted_txn, subjects)


def _calls_txn(txn: Transaction, since: int, until: int, per_host: bool) -> list[HostCalls]:
    host = "ip, port" if per_host else "0, 0"
    group = "modid, cmdid, ip, port" if per_host else "modid, cmdid"
    rows = txn.all(
        f"SELECT modid, cmdid, {host}, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
        f"WHERE minute >= ? AND minute <= ? GROUP BY {group}",
        (since - since % 60, until),
    )
    return [HostCalls(*map(int, row)) for row in rows]


def _states_txn(txn: Transaction, now: int) -> list[HostStates]:
    fresh = now - STALE_AFTER
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, COUNT(*), SUM(overload = '1'), SUM(ts >= ?) FROM ServerCallStatus "
        "WHERE ts >= ? OR (ts >= ? AND caller IN (SELECT caller FROM CallerSeen WHERE ts >= ?)) "
        "GROUP BY modid, cmdid, ip, port",
        (fresh, fresh, now - STATE_AGE, fresh),
    )
    return [HostStates(*map(int, row)) for row in rows]


def _callers_txn(txn: Transaction, before: int) -> list[CallerSeen]:
    return [CallerSeen(*row) for row in txn.all("SELECT caller, ts FROM CallerSeen WHERE ts < ?", (before,))]


def _known_callers_txn(txn: Transaction, callers: Collection[int]) -> set[int]:
    known = "SELECT caller FROM CallerSeen WHERE caller = ?"
    return {caller for caller in callers if txn.one(known, (caller,)) is not None}


def unrouted_txn(txn: Transaction, subjects: Collection[Subject]) -> set[Subject]:
    """See AlarmStore.unrouted."""
    gone = set()
    hosts = hosts_of_txn(txn, sorted({ModuleId(s.modid, s.cmdid) for s in subjects if s.modid or s.cmdid}))
    for subject in subjects:
        module = ModuleId(subject.modid, subject.cmdid)
        if module == (0, 0):
            continue
        routed = hosts[module]
        if HostAddress(subject.ip, subject.port) in routed if subject.port else routed:
            continue
        edited = "SELECT id FROM RouteAudit WHERE modid = ? AND cmdid = ? LIMIT 1"
        if routed or txn.one(edited, module) is not None:
            gone.add(subject)
    return gone
