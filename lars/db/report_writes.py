"""Writes reports into ServerCallStatus and ServerCallHistory, each once (docs/design/reporter.md, counted once)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lars.db.database import Database
from lars.db.engine import DatabaseError, Transaction
from lars.db.report_rows import Calls, Group, Run, Seen, Status
from lars.db.seen_writes import write_seen_txn
from lars.route import ModuleId, format_ip
from lars.wording import counted

MAX_STATUS_COUNT = 2**31 - 1
"""The largest count in ServerCallStatus; a larger one is clamped."""

MAX_HISTORY_COUNT = 2**63 - 1
"""The largest count in ServerCallHistory on both engines; a larger one is clamped."""

STATUS_KEY = ("modid", "cmdid", "ip", "port", "caller")
HISTORY_KEY = ("minute", "modid", "cmdid", "ip", "port")

NumberRow = tuple[int, ...]


@dataclass(slots=True)
class Committed:
    """The result of a commit."""

    cursors: dict[Run, int]
    """The last seq of each run in the database."""
    overtaken: set[Run] = field(default_factory=set)
    """Runs of which another reporter has committed a part of a group: neither that group nor the later ones of the run
    were written."""
    refused: list[str] = field(default_factory=list)
    """Rows that the database refused, each with its reason; all others are written."""
    rows: dict[str, int] = field(default_factory=dict)
    """Written rows, by table."""


class BadRow(DatabaseError):
    """The database refused the values of a row."""


class ReportWrites:
    """Writes reports into a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def commit(
        self, groups: Sequence[Group], new: Iterable[Run], now: float, seen: Sequence[Seen] = ()
    ) -> Committed:
        """Adds the groups up; each (caller, boot, seq) counts once, even if another reporter has committed it.

        Idempotent: call it again with the same groups after a failure, even one after the commit. If the database
        refuses a row, a second transaction writes all rows but the bad ones.

        Args:
            groups: those of one run in the order of their seq.
            new: the runs that may have no row in ReportCursor yet.
            now: Unix seconds by the database's clock.
            seen: what agents say of hosts and of themselves.
        """
        new = list(new)
        try:
            return await self._database.write_repeatable("store reports", commit_txn, groups, new, now, seen)
        except BadRow:
            without = "store reports, without bad rows"
            return await self._database.write_repeatable(without, commit_txn, groups, new, now, seen, True)


def commit_txn(
    txn: Transaction,
    groups: Sequence[Group],
    new: Iterable[Run],
    now: float,
    seen: Sequence[Seen] = (),
    bisect: bool = False,
) -> Committed:
    """Writes groups and moves the cursors of their runs; with `bisect`, rows that the database refuses are left out.

    The cursors are locked first, because another reporter may move them. Rows are written in the order of their keys,
    so that two writers cannot deadlock; rows that writers share come last, so that their locks are short.
    """
    engine = txn.engine
    runs = sorted({group.run for group in groups} | {one.run for one in seen})
    _make_cursors(txn, sorted(new), now)
    done = Committed(_locked_cursors(txn, runs))
    to_write = _uncounted(groups, done)
    writing = _Writing(txn, bisect, done)
    writing.upsert(
        "ServerCallStatus",
        engine.upsert("ServerCallStatus", STATUS_KEY, ["succ_cnt", "err_cnt", "ts", "overload"]),
        list(status_rows(to_write)),
    )
    writing.seen(seen)
    skews = {group.caller: max(-MAX_STATUS_COUNT, min(group.skew, MAX_STATUS_COUNT)) for group in groups}
    txn.execute_numbers(
        engine.upsert("CallerSeen", ["caller"], ["ts", "skew"]),
        [(caller, int(now), skews[caller]) for caller in sorted(skews)],
    )
    txn.execute_numbers(
        engine.upsert("ReportCursor", ["caller", "boot"], ["seq", "ts"]),
        [(caller, _signed(boot), done.cursors[caller, boot], int(now)) for caller, boot in runs],
    )
    writing.upsert(
        "ServerCallHistory",
        engine.upsert("ServerCallHistory", HISTORY_KEY, [], ["succ_cnt", "err_cnt", "approximate"]),
        list(history_rows(to_write)),
    )
    return done


def _make_cursors(txn: Transaction, runs: Sequence[Run], now: float) -> None:
    """Inserts missing rows before they are locked: the lock of a missing row is a gap lock, which blocks others."""
    txn.execute_numbers(
        txn.engine.insert_ignore("ReportCursor", ["caller", "boot", "seq", "ts"]),
        [(caller, _signed(boot), 0, int(now)) for caller, boot in runs],
    )


def _locked_cursors(txn: Transaction, runs: Sequence[Run]) -> dict[Run, int]:
    cursors = dict.fromkeys(runs, 0)
    for start in range(0, len(runs), 200):
        some = runs[start : start + 200]
        rows = txn.all(
            f"SELECT caller, boot, seq FROM ReportCursor WHERE {' OR '.join(['caller = ? AND boot = ?'] * len(some))}"
            f" ORDER BY caller, boot{txn.engine.for_update}",
            [number for caller, boot in some for number in (caller, _signed(boot))],
        )
        cursors.update({(caller, boot % 2**64): seq for caller, boot, seq in rows})
    return cursors


def _uncounted(groups: Sequence[Group], done: Committed) -> list[Group]:
    """The groups that no reporter has written; moves the cursors past them."""
    to_write = []
    for group in groups:
        cursor = done.cursors[group.run]
        if group.last <= cursor or group.run in done.overtaken:
            continue
        if group.first <= cursor:
            done.overtaken.add(group.run)
            continue
        done.cursors[group.run] = group.last
        to_write.append(group)
    return to_write


def status_rows(groups: Iterable[Group]) -> Iterator[NumberRow]:
    """Rows of ServerCallStatus in the order of its key; of two with the same key, the later group's."""
    merged: dict[ModuleId, dict[int, Status]] = {}
    for group in groups:
        caller = group.caller
        for module, hosts in group.rows.status.items():
            into = merged.setdefault(module, {})
            for host, status in hosts.items():
                into[host << 32 | caller] = status
    for module in sorted(merged):
        modid, cmdid = module
        latest = merged[module]
        for key in sorted(latest):
            succ, err, ts, overloaded = latest[key]
            if succ > MAX_STATUS_COUNT or err > MAX_STATUS_COUNT:
                succ, err = min(succ, MAX_STATUS_COUNT), min(err, MAX_STATUS_COUNT)
            # The columns are CHAR or TEXT, which store these numbers as '0' and '1'.
            yield modid, cmdid, key >> 48, key >> 32 & 0xFFFF, key & 0xFFFFFFFF, succ, err, ts, overloaded


def history_rows(groups: Iterable[Group]) -> Iterator[NumberRow]:
    """Rows of ServerCallHistory in the order of its key, summed over the groups."""
    merged: Calls = {}
    for group in groups:
        _add(merged, group.rows.calls, approximate=False)
        _add(merged, group.rows.derived, approximate=True)
    for minute_of_module in sorted(merged):
        minute, modid, cmdid = minute_of_module
        hosts = merged[minute_of_module]
        for host in sorted(hosts):
            succ, err, approximate = hosts[host]
            if succ > MAX_HISTORY_COUNT or err > MAX_HISTORY_COUNT:
                succ, err = min(succ, MAX_HISTORY_COUNT), min(err, MAX_HISTORY_COUNT)
            yield minute, modid, cmdid, host >> 16, host & 0xFFFF, succ, err, min(approximate, MAX_HISTORY_COUNT)


def _add(merged: Calls, calls: Calls, approximate: bool) -> None:
    for minute_of_module, hosts in calls.items():
        into = merged.setdefault(minute_of_module, {})
        for host, (succ, err) in hosts.items():
            sums = into.get(host)
            if sums is None:
                into[host] = [succ, err, succ + err if approximate else 0]
            else:
                sums[0] += succ
                sums[1] += err
                sums[2] += succ + err if approximate else 0


class _Writing:
    """Writes rows; with `bisect`, by halves, down to each row that the database refuses."""

    def __init__(self, txn: Transaction, bisect: bool, done: Committed) -> None:
        self._txn = txn
        self._bisect = bisect
        self._done = done

    def upsert(self, table: str, statement: str, rows: Sequence[NumberRow]) -> None:
        refused = len(self._done.refused)
        if self._bisect:
            self._by_halves(table, statement, rows)
        else:
            try:
                self._txn.execute_numbers(statement, rows)
            except self._txn.engine.errors as error:
                if self._txn.engine.is_bad_row(error):
                    raise BadRow(self._txn.engine.reason(error)) from error
                raise
        self._done.rows[table] = len(rows) - (len(self._done.refused) - refused)

    def seen(self, seen: Sequence[Seen]) -> None:
        """Writes what agents say of hosts; none of it where the database refuses a row: they say it again."""
        if not seen:
            return
        errors, is_bad_row = self._txn.engine.errors, self._txn.engine.is_bad_row
        self._txn.execute("SAVEPOINT seen")
        try:
            self._done.rows.update(write_seen_txn(self._txn, seen))
        except errors as error:
            if not is_bad_row(error):
                raise
            self._txn.execute("ROLLBACK TO SAVEPOINT seen")
            reason = self._txn.engine.reason(error)
            self._done.refused.append(f"what {counted(len(seen), 'agent')} said of hosts: {reason}")

    def _by_halves(self, table: str, statement: str, rows: Sequence[NumberRow]) -> None:
        txn = self._txn
        if not rows:
            return
        txn.execute("SAVEPOINT half")
        try:
            txn.execute_numbers(statement, rows)
        except txn.engine.errors as error:
            if not txn.engine.is_bad_row(error):
                raise
            txn.execute("ROLLBACK TO SAVEPOINT half")
            if len(rows) == 1:
                self._done.refused.append(f"{table}: {txn.engine.reason(error)}: {_written(table, rows[0])}")
                return
            middle = len(rows) // 2
            self._by_halves(table, statement, rows[:middle])
            self._by_halves(table, statement, rows[middle:])
        else:
            txn.execute("RELEASE SAVEPOINT half")


def _written(table: str, row: NumberRow) -> str:
    """A row, for the log."""
    modid, cmdid, ip, port = row[1:5] if table == "ServerCallHistory" else row[:4]
    values = row[5:]
    return f"module ({modid}, {cmdid}), host {format_ip(ip)}:{port}, {', '.join(map(str, values))}"


def _signed(boot: int) -> int:
    """A fixed64 as a signed 64-bit number, which both engines can store."""
    return boot - 2**64 if boot >= 2**63 else boot
