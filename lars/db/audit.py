"""The audit: who edited what, and when, written in the transaction of each edit.

See docs/design/database.md, audit.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lars.db.database import Database
from lars.db.engine import Transaction
from lars.route import ModuleId

_SENT = re.compile(r'\S+(?: weight=\d+)?(?: zone="[^"]*")?')
"""The part of a host's line in the audit that agents are sent."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What one edit changed.

    `what` is "hosts" (of a module), "modid" or "cmdid" (its name; the other id is 0) or "account" (both ids are 0).
    """

    what: str
    modid: int
    cmdid: int
    before: str
    after: str
    version: int = 0
    """The route version of the edit; 0 unless `what` is "hosts"."""

    @property
    def lines(self) -> tuple[list[str], list[str]]:
        """What was before and what is after; of hosts one text each, with its record, and one for the settings.

        Versions before host records wrote all hosts of the module, in one line.
        """
        if self.what != "hosts":
            return [self.before] if self.before else [], [self.after] if self.after else []
        return _host_lines(self.before), _host_lines(self.after)

    @property
    def reaches_agents(self) -> bool:
        """Whether agents are sent what is different: not tags, notes and the end of a drain."""
        if self.what != "hosts":
            return False
        before, after = self.lines
        return set(map(_sent, before)) != set(map(_sent, after))


def _sent(line: str) -> str:
    """What agents are sent of a line of the audit."""
    found = None if line.startswith("settings ") else _SENT.match(line)
    return found[0] if found is not None else line


def _host_lines(text: str) -> list[str]:
    found = []
    for line in text.splitlines():
        found += [line] if "=" in line or line.startswith("settings ") else line.split()
    return found


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An edit in the audit; `at` is in Unix seconds."""

    id: int
    at: int
    actor: str
    edit: Edit


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A row of RouteChange: a module that a route version changed."""

    id: int
    modid: int
    cmdid: int
    version: int


def record_txn(txn: Transaction, actor: str, now: float, edits: Iterable[Edit]) -> None:
    """Appends edits, in the transaction that makes them; `now` is in Unix seconds. Cuts `actor` to 255 characters."""
    txn.execute_many(
        "INSERT INTO RouteAudit (ts, actor, modid, cmdid, version, hosts_before, hosts_after, what) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(int(now), actor[:255], e.modid, e.cmdid, e.version, e.before, e.after, e.what) for e in edits],
    )


class AuditStore:
    """The audit and the route changes, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def edits(self, module: ModuleId | None, before_id: int | None, limit: int) -> list[AuditRow]:
        """Edits of one module and of its names, or all edits; only those before an id, if it is given."""
        return await self._database.read("read the audit", _edits_txn, module, before_id, limit)

    async def changes(self, before_id: int | None, limit: int) -> tuple[int, list[ChangeRow]]:
        """The route version, and rows of RouteChange; only those before an id, if it is given."""
        return await self._database.read("read the route changes", _changes_txn, before_id, limit)


_COLUMNS = "SELECT id, ts, actor, what, modid, cmdid, hosts_before, hosts_after, version FROM RouteAudit"


def _edits_txn(txn: Transaction, module: ModuleId | None, before_id: int | None, limit: int) -> list[AuditRow]:
    below = before_id if before_id is not None else 2**62
    if module is None:
        rows = txn.all(f"{_COLUMNS} WHERE id < ? ORDER BY id DESC LIMIT ?", (below, limit))
    else:
        rows = []
        named = [("hosts", *module), ("modid", module.modid, 0), ("cmdid", 0, module.cmdid)]
        for what, modid, cmdid in named:  # each by the index, which an OR would not use
            query = f"{_COLUMNS} WHERE modid = ? AND cmdid = ? AND id < ? AND what = ? ORDER BY id DESC LIMIT ?"
            rows += txn.all(query, (modid, cmdid, below, what, limit))
        rows = sorted(rows, reverse=True)[:limit]
    return [AuditRow(row[0], row[1], row[2], Edit(*row[3:])) for row in rows]


def _changes_txn(txn: Transaction, before_id: int | None, limit: int) -> tuple[int, list[ChangeRow]]:
    version = txn.one("SELECT version FROM RouteVersion WHERE id = 1")
    rows = txn.all(
        "SELECT id, modid, cmdid, version FROM RouteChange WHERE id < ? ORDER BY id DESC LIMIT ?",
        (before_id if before_id is not None else 2**62, limit),
    )
    return int(version[0]) if version else 0, [ChangeRow(*row) for row in rows]
