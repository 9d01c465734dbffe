"""The alarm store: alarms, and which reporter evaluates which rule (docs/design/reporter.md, alarms)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.db.measurements import Subject
from lars.db.modules import joined_name, names_txn
from lars.route import ModuleId


@dataclass(frozen=True, slots=True)
class Alarm:
    """One row of Alarm. Times are in Unix seconds; `cleared_at` is 0 while the alarm is active.

    `raise_told` and `clear_told` are the states of the two webhook posts: WAITING, POSTED or GIVEN_UP. `text` has the
    figures when it was raised, `text_now` the latest ones. `module_name` comes from the tables of names.
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
    text_now: str = ""
    clear_reason: str = ""
    module_name: str = ""


WAITING, POSTED, GIVEN_UP = 0, 1, 2
"""A webhook post is due, has succeeded (or there is no webhook), or will not be retried."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Which rules a reporter evaluates, which rules some living reporter has, and the database's clock."""

    now: float
    owned: frozenset[str]
    attended: frozenset[str]


ORPHANED_AFTER = 600
"""Seconds without a reporter that has a rule after which the rule counts as removed."""

CLOCK_STEP = 600
"""Seconds by which a claim may end later than any claim would, before the database's clock must have been set back."""

POSTED_WITHIN = 86_400
"""Seconds after an alarm is cleared for which its posts may still be due."""


class AlarmStore:
    """Alarms in the database. Times are in Unix seconds by the database's clock."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, rules: Collection[str], owner: str, ttl: float) -> Claim:
        """Makes `owner` the one that evaluates those of some rules that nobody else has claimed, for `ttl` seconds."""
        return await self._database.write_again("claim alarm rules", claim_txn, rules, owner, ttl)

    async def release(self, owner: str) -> None:
        """Lets others claim the rules of an owner at once; they still count as rules that a reporter has."""
        await self._database.write("release alarm rules", _release_txn, owner)

    async def alarms(self, since: int | None = None) -> list[Alarm]:
        """The active alarms and, with `since`, those that have cleared since; oldest first."""
        return await self._database.read("read alarms", _alarms_txn, since)

    async def newest(self, active: bool, limit: int) -> list[Alarm]:
        """Active alarms (`active`), or cleared ones; newest first."""
        return await self._database.read("list alarms", newest_txn, active, limit)

    async def orphans(self, now: float) -> list[Alarm]:
        """The active alarms whose rule no reporter has had for ORPHANED_AFTER."""
        return await self._database.read("read alarms without a rule", _orphans_txn, now)

    async def to_post(self, now: float) -> list[Alarm]:
        """The alarms with a webhook post that is due, oldest first."""
        return await self._database.read("read alarms to post", _to_post_txn, now)

    async def raised(self, alarm: Alarm) -> tuple[Alarm, bool]:
        """Stores an alarm that is raised; its id is ignored.

        Returns its row, and whether this call created it: another reporter may have, or an earlier call that failed
        after its commit.
        """
        return await self._database.write("store a raised alarm", raise_txn, alarm)

    async def cleared(self, alarm_id: int, now: int, reason: str = "") -> tuple[Alarm, bool]:
        """Stores that an alarm is cleared, and why; returns its row, and whether it was active until now."""
        return await self._database.write("store a cleared alarm", clear_txn, alarm_id, now, reason)

    async def update(self, texts: Mapping[int, str]) -> None:
        """Stores the latest figures of alarms, by id."""
        await self._database.write("store figures of alarms", _update_txn, texts)

    async def mark_posted(self, alarm_id: int, cleared: bool, outcome: int) -> None:
        """Stores the outcome, POSTED or GIVEN_UP, of the webhook post of the raise or of the clear."""
        await self._database.write_again("store a posted alarm", mark_posted_txn, alarm_id, cleared, outcome)


def claim_txn(txn: Transaction, rules: Collection[str], owner: str, ttl: float) -> Claim:
    """See AlarmStore.claim."""
    now = txn.now()
    names = sorted(rules)
    too_late = int((now + 10 * ttl + CLOCK_STEP) * 1000)  # the database's clock was set back since
    insert = txn.engine.insert_ignore("AlarmRule", ["rule", "owner", "expires_at"])
    txn.execute_many(insert, [(name, "", 0) for name in names])
    txn.execute_many(
        "UPDATE AlarmRule SET owner = ?, expires_at = ? "
        "WHERE rule = ? AND (owner = ? OR expires_at <= ? OR expires_at > ?)",
        [(owner, int((now + ttl) * 1000), name, owner, int(now * 1000), too_late) for name in names],
    )
    attended: dict[str, str] = dict(
        txn.all("SELECT rule, owner FROM AlarmRule WHERE expires_at > ?", (int(now * 1000),))
    )
    return Claim(now, frozenset(name for name in names if attended.get(name) == owner), frozenset(attended))


def _release_txn(txn: Transaction, owner: str) -> None:
    now = int(txn.now() * 1000)
    txn.execute("UPDATE AlarmRule SET owner = '', expires_at = ? WHERE owner = ?", (now, owner))


_COLUMNS = (
    "id, rule, what, modid, cmdid, ip, port, caller, text, raised_at, cleared_at, webhook, raise_told, clear_told, "
    "text_now, clear_reason"
)

MAX_TEXT = 255
"""Characters of a text in the table."""


def _read(txn: Transaction, where: str, parameters: Sequence[int | str], order: str = "id") -> list[Alarm]:
    rows = txn.all(f"SELECT {_COLUMNS} FROM Alarm WHERE {where} ORDER BY {order}", parameters)
    modids, cmdids = names_txn(txn, {ModuleId(*row[3:5]) for row in rows if any(row[3:5])})
    return [
        Alarm(
            alarm_id,
            rule,
            what,
            Subject(modid, cmdid, *more[:3]),
            *[*more[3:], joined_name(modids.get(modid), cmdids.get(cmdid)) if modid or cmdid else ""],
        )
        for alarm_id, rule, what, modid, cmdid, *more in rows
    ]


def _alarms_txn(txn: Transaction, since: int | None) -> list[Alarm]:
    if since is None:
        return _read(txn, "cleared_at = 0", ())
    return _read(txn, "cleared_at = 0 OR cleared_at >= ?", (since,))


def newest_txn(txn: Transaction, active: bool, limit: int) -> list[Alarm]:
    """See AlarmStore.newest."""
    if active:
        return _read(txn, "cleared_at = 0", (), f"raised_at DESC, id DESC LIMIT {limit:d}")
    return _read(txn, "cleared_at <> 0", (), f"cleared_at DESC, id DESC LIMIT {limit:d}")


def _orphans_txn(txn: Transaction, now: float) -> list[Alarm]:
    had = "SELECT rule FROM AlarmRule WHERE expires_at >= ?"
    return _read(txn, f"cleared_at = 0 AND rule NOT IN ({had})", (int((now - ORPHANED_AFTER) * 1000),))


def _to_post_txn(txn: Transaction, now: float) -> list[Alarm]:
    due = f"(raise_told = {WAITING} OR (clear_told = {WAITING} AND cleared_at > 0))"
    return _read(txn, f"(cleared_at = 0 OR cleared_at >= ?) AND {due}", (int(now) - POSTED_WITHIN,))


def _update_txn(txn: Transaction, texts: Mapping[int, str]) -> None:
    txn.execute_many(
        "UPDATE Alarm SET text_now = ? WHERE id = ? AND cleared_at = 0",
        [(texts[alarm_id][:MAX_TEXT], alarm_id) for alarm_id in sorted(texts)],
    )


def raise_txn(txn: Transaction, alarm: Alarm) -> tuple[Alarm, bool]:
    """See AlarmStore.raised."""
    columns = ["rule", "what", *Subject._fields, "text", "raised_at", "cleared_at", "webhook"]
    columns += ["raise_told", "clear_told", "text_now"]
    text = alarm.text[:MAX_TEXT]
    post = WAITING if alarm.webhook else POSTED
    values = [alarm.rule, alarm.what, *alarm.subject, text, alarm.raised_at, 0, alarm.webhook, post, post, text]
    is_new = txn.execute(txn.engine.insert_ignore("Alarm", columns), values) == 1
    same = "rule = ? AND modid = ? AND cmdid = ? AND ip = ? AND port = ? AND caller = ? AND cleared_at = 0"
    [stored] = _read(txn, same, [alarm.rule, *alarm.subject])
    return stored, is_new


def clear_txn(txn: Transaction, alarm_id: int, now: int, reason: str = "") -> tuple[Alarm, bool]:
    """See AlarmStore.cleared."""
    clear = "UPDATE Alarm SET cleared_at = ?, clear_reason = ? WHERE id = ? AND cleared_at = 0"
    was_active = txn.execute(clear, (now, reason[:MAX_TEXT], alarm_id)) == 1
    [stored] = _read(txn, "id = ?", [alarm_id])
    return stored, was_active


def mark_posted_txn(txn: Transaction, alarm_id: int, cleared: bool, outcome: int) -> None:
    """See AlarmStore.mark_posted."""
    column = "clear_told" if cleared else "raise_told"
    txn.execute(f"UPDATE Alarm SET {column} = ? WHERE id = ?", (outcome, alarm_id))
