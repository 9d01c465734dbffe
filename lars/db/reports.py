"""The report store: counts into ServerCallStatus and ServerCallHistory, each report once (design 5 and 9)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Transaction


class StatusKey(NamedTuple):
    """The key of ServerCallStatus."""

    modid: int
    cmdid: int
    ip: int
    port: int
    caller: int


class HistoryKey(NamedTuple):
    """The key of ServerCallHistory; minute in Unix seconds, a multiple of 60."""

    minute: int
    modid: int
    cmdid: int
    ip: int
    port: int


class Status(NamedTuple):
    """The latest report of a caller for a host; ts in Unix seconds."""

    succ: int
    err: int
    ts: int
    overloaded: bool


class Calls(NamedTuple):
    """Calls that happened; `approximate` of them derived from a C++ agent's running counters."""

    succ: int
    err: int
    approximate: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What one agent said of one module at one time, ready to be added up.

    `boot` is 0 for a report without one: it is then counted each time that it comes.
    """

    caller: int
    boot: int
    seq: int
    status: dict[StatusKey, Status]
    calls: dict[HistoryKey, Calls]


Cursors = dict[tuple[int, int], int]
"""(caller, boot) -> the last seq that is committed."""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """One host of one module as `lars status` shows it.

    Counts are over the asked period; `callers`, `overloaded_at` (how many callers have set it aside) and `last_report`
    (Unix seconds, 0 if never) come from the latest reports.
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


STALE_AFTER = 180
"""Seconds of silence after which a caller's states no longer count as what is."""


class ReportStore:
    """Reports in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(self, reports: Sequence[Report], now: float) -> Cursors:
        """Adds the reports up, each (caller, boot, seq) once whoever committed it before; the cursors that now stand.

        May be called again with the same reports after a failure. Reports without boot are then counted again.
        """
        return await self._database.write("store reports", commit_txn, reports, now)

    async def cursor(self, caller: int, boot: int) -> int:
        """The last committed seq of a run of an agent, or 0."""
        return (await self._database.read("read a report cursor", cursors_txn, [(caller, boot)]))[caller, boot]

    async def status(self, modid: int | None, cmdid: int | None, since: int, now: float) -> list[HostStatus]:
        """What is known of each host, with calls from `since` on (Unix seconds, cut to its minute)."""
        return await self._database.read("read call status", status_txn, modid, cmdid, since, now)


def cursors_txn(txn: Transaction, runs: Iterable[tuple[int, int]], lock: str = "") -> Cursors:
    cursors = {}
    for caller, boot in runs:
        row = txn.one(f"SELECT seq FROM ReportCursor WHERE caller = ? AND boot = ?{lock}", (caller, _signed(boot)))
        cursors[caller, boot] = int(row[0]) if row else 0
    return cursors


def commit_txn(txn: Transaction, reports: Sequence[Report], now: float) -> Cursors:
    """The cursors are read and locked in the transaction that writes the counts: another reporter may have moved them.

    Rows are written in key order, so that two writers never wait for each other in a ring.
    """
    engine = txn.engine
    cursors = cursors_txn(txn, sorted({(r.caller, r.boot) for r in reports if r.boot}), engine.for_update)
    status: dict[StatusKey, Status] = {}
    calls: dict[HistoryKey, Calls] = {}
    for report in reports:
        run = (report.caller, report.boot)
        if report.boot:
            if report.seq <= cursors[run]:
                continue
            cursors[run] = report.seq
        status.update(report.status)
        for key, more in report.calls.items():
            have = calls.get(key, Calls(0, 0))
            calls[key] = Calls(have.succ + more.succ, have.err + more.err, have.approximate + more.approximate)
    txn.execute_many(
        engine.upsert("ServerCallStatus", StatusKey._fields, ["succ_cnt", "err_cnt", "ts", "overload"]),
        [(*key, s.succ, s.err, s.ts, "1" if s.overloaded else "0") for key, s in sorted(status.items())],
    )
    txn.execute_many(
        engine.upsert("ServerCallHistory", HistoryKey._fields, [], ["succ_cnt", "err_cnt", "approximate"]),
        [(*key, *counts) for key, counts in sorted(calls.items())],
    )
    txn.execute_many(
        engine.upsert("ReportCursor", ["caller", "boot"], ["seq", "ts"]),
        [(caller, _signed(boot), seq, int(now)) for (caller, boot), seq in sorted(cursors.items())],
    )
    txn.execute_many(
        engine.upsert("CallerSeen", ["caller"], ["ts"]), [(c, int(now)) for c in sorted({r.caller for r in reports})]
    )
    return cursors


def status_txn(txn: Transaction, modid: int | None, cmdid: int | None, since: int, now: float) -> list[HostStatus]:
    conditions, parameters = [], []
    for column, value in (("modid", modid), ("cmdid", cmdid)):
        if value is not None:
            conditions.append(f"{column} = ?")
            parameters.append(value)
    counts = {
        tuple(row[:4]): (int(row[4]), int(row[5]))
        for row in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory "
            f"WHERE {' AND '.join(['minute >= ?', *conditions])} GROUP BY modid, cmdid, ip, port",
            [since - since % 60, *parameters],
        )
    }
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    states = {
        tuple(row[:4]): (int(row[4]), int(row[5] or 0), int(row[6]))
        for row in txn.all(
            "SELECT modid, cmdid, ip, port, SUM(ts >= ?), SUM(overload = '1' AND ts >= ?), MAX(ts) "
            f"FROM ServerCallStatus {where} GROUP BY modid, cmdid, ip, port",
            [int(now) - STALE_AFTER, int(now) - STALE_AFTER, *parameters],
        )
    }
    hosts = []
    for key in sorted(counts.keys() | states.keys()):
        of_modid, of_cmdid, ip, port = key
        hosts.append(HostStatus(of_modid, of_cmdid, ip, port, *counts.get(key, (0, 0)), *states.get(key, (0, 0, 0))))
    return hosts


def _signed(boot: int) -> int:
    """A fixed64 as the signed 64-bit number that both engines can hold."""
    return boot - 2**64 if boot >= 2**63 else boot
