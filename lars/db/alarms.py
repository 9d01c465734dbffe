"""The alarm store: alarms, and the measurements that rules are evaluated on (docs/design/reporter.md, alarms)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lars.db.database import Database
from lars.db.engine import Transaction


class Subject(NamedTuple):
    """The subject of an alarm: a module, a host of a module, or a caller; numbers that do not apply are 0."""

    modid: int = 0
    cmdid: int = 0
    ip: int = 0
    port: int = 0
    caller: int = 0


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row of Alarm. Times are in Unix seconds; `cleared_at` is 0 while the alarm is active.

    `raise_told` and `clear_told` are the states of the two webhook posts: WAITING, POSTED or GIVEN_UP.
    """

    id: int
    rule: str
    what: str
    subject: Subject
    text: str
    raised_at: int
    cleared_at: int
    webhook: str
    raise_told: int
    clear_told: int


WAITING, POSTED, GIVEN_UP = 0, 1, 2
"""A webhook post is due, has succeeded (or there is no webhook), or will not be retried."""


class HostCalls(NamedTuple):
    """Calls of a host, or of a module if ip and port are 0."""

    modid: int
    cmdid: int
    ip: int
    port: int
    succ: int
    err: int


class HostStates(NamedTuple):
    """How many callers have reported on a host lately, and how many of them have ejected it."""

    modid: int
    cmdid: int
    ip: int
    port: int
    callers: int
    overloaded_at: int


class CallerSeen(NamedTuple):
    """The time of a caller's latest report, in Unix seconds."""

    caller: int
    ts: int


class AlarmStore:
    """Alarms in the database. Times are in Unix seconds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def calls(self, since: int, per_host: bool) -> list[HostCalls]:
        """Calls from the minute of `since` on, by host or by module."""
        return await self._database.read("read error rates for alarms", _calls_txn, since, per_host)

    async def states(self, since: int) -> list[HostStates]:
        """The states of hosts, from the callers that have reported since `since`."""
        return await self._database.read("read host states for alarms", _states_txn, since)

    async def callers_seen(self, before: int) -> list[CallerSeen]:
        """The callers whose latest report is older than `before`."""
        return await self._database.read("read silent callers for alarms", _callers_txn, before)

    async def alarms(self, since: int | None = None) -> list[Alarm]:
        """The active alarms and, with `since`, those that have cleared since; oldest first."""
        return await self._database.read("read alarms", _alarms_txn, since)

    async def to_post(self) -> list[Alarm]:
        """The alarms with a webhook post that is due, oldest first."""
        return await self._database.read("read alarms to post", _unmark_posted_txn)

    async def raised(self, alarm: Alarm) -> tuple[Alarm, bool]:
        """Stores an alarm that is raised; its id is ignored.

        Returns its row, and whether this call created it: another reporter may have, or an earlier call that failed
        after its commit.
        """
        return await self._database.write("store a raised alarm", raise_txn, alarm)

    async def cleared(self, alarm_id: int, now: int) -> tuple[Alarm, bool]:
        """Stores that an alarm is cleared; returns its row, and whether it was active until now."""
        return await self._database.write("store a cleared alarm", clear_txn, alarm_id, now)

    async def mark_posted(self, alarm_id: int, cleared: bool, outcome: int) -> None:
        """Stores the outcome, POSTED or GIVEN_UP, of the webhook post of the raise or of the clear."""
        await self._database.write_again("store a posted alarm", mark_posted_txn, alarm_id, cleared, outcome)


def _calls_txn(txn: Transaction, since: int, per_host: bool) -> list[HostCalls]:
    host = "ip, port" if per_host else "0, 0"
    group = "modid, cmdid, ip, port" if per_host else "modid, cmdid"
    rows = txn.all(
        f"SELECT modid, cmdid, {host}, SUM(succ_cnt), SUM(err_cnt) FROM ServerCallHistory WHERE minute >= ? "
        f"GROUP BY {group}",
        (since - since % 60,),
    )
    return [HostCalls(*map(int, row)) for row in rows]


def _states_txn(txn: Transaction, since: int) -> list[HostStates]:
    rows = txn.all(
        "SELECT modid, cmdid, ip, port, COUNT(*), SUM(overload = '1') FROM ServerCallStatus WHERE ts >= ? "
        "GROUP BY modid, cmdid, ip, port",
        (since,),
    )
    return [HostStates(*map(int, row)) for row in rows]


def _callers_txn(txn: Transaction, before: int) -> list[CallerSeen]:
    return [CallerSeen(*row) for row in txn.all("SELECT caller, ts FROM CallerSeen WHERE ts < ?", (before,))]


_COLUMNS = (
    "id, rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at, webhook, raise_told, clear_told"
)


def _read(txn: Transaction, where: str, parameters: Sequence[int | str]) -> list[Alarm]:
    rows = txn.all(f"SELECT {_COLUMNS} FROM Alarm WHERE {where} ORDER BY id", parameters)
    return [Alarm(alarm_id, rule, what, Subject(*numbers[:5]), *numbers[5:]) for alarm_id, rule, what, *numbers in rows]


def _alarms_txn(txn: Transaction, since: int | None) -> list[Alarm]:
    if since is None:
        return _read(txn, "cleared_at = 0", ())
    return _read(txn, "cleared_at = 0 OR cleared_at >= ?", (since,))


def _unmark_posted_txn(txn: Transaction) -> list[Alarm]:
    return _read(txn, f"raise_told = {WAITING} OR (clear_told = {WAITING} AND cleared_at > 0)", ())


def raise_txn(txn: Transaction, alarm: Alarm) -> tuple[Alarm, bool]:
    """See AlarmStore.raised."""
    columns = ["rule", "what", *Subject._fields, "text", "raised_at", "cleared_at", "webhook"]
    columns += ["raise_told", "clear_told"]
    post = WAITING if alarm.webhook else POSTED
    values = [alarm.rule, alarm.what, *alarm.subject, alarm.text, alarm.raised_at, 0, alarm.webhook, post, post]
    is_new = txn.execute(txn.engine.insert_ignore("Alarm", columns), values) == 1
    same = "rule = ? AND modid = ? AND cmdid = ? AND ip = ? AND port = ? AND caller = ? AND cleared_at = 0"
    [stored] = _read(txn, same, [alarm.rule, *alarm.subject])
    return stored, is_new


def clear_txn(txn: Transaction, alarm_id: int, now: int) -> tuple[Alarm, bool]:
    """See AlarmStore.cleared."""
    was_active = txn.execute("UPDATE Alarm SET cleared_at = ? WHERE id = ? AND cleared_at = 0", (now, alarm_id)) == 1
    [stored] = _read(txn, "id = ?", [alarm_id])
    return stored, was_active


def mark_posted_txn(txn: Transaction, alarm_id: int, cleared: bool, outcome: int) -> None:
    """See AlarmStore.mark_posted."""
    column = "clear_told" if cleared else "raise_told"
    txn.execute(f"UPDATE Alarm SET {column} = ? WHERE id = ?", (outcome, alarm_id))
