"""The hosts of modules with their records, and the settings of modules, inside a transaction.

See docs/design/database.md, host records.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from lars.db.engine import Transaction
from lars.host_record import PLAIN, HostRecord, HostRow
from lars.route import HostAddress, ModuleId

COLUMNS = ("weight", "zone", "tags", "note", "drained_weight", "drained_until", "drain_reason")
"""The columns of RouteData that hold the record."""

_KEY = ("modid", "cmdid", "serverip", "serverport")
_ONE = "modid = ? AND cmdid = ?"

Records = Mapping[HostAddress, HostRecord]
"""The hosts of a module with their records."""


def records_of_txn(txn: Transaction, modules: Collection[ModuleId]) -> dict[ModuleId, dict[HostAddress, HostRecord]]:
    """The hosts of each of some modules with their records, in a defaultdict."""
    found: dict[ModuleId, dict[HostAddress, HostRecord]] = defaultdict(dict)
    for some in parts(list(modules), 200):
        where = f"WHERE {' OR '.join([_ONE] * len(some))}"
        for modid, cmdid, ip, port, record in host_rows_txn(txn, where, [n for module in some for n in module]):
            if isinstance(ip, int) and isinstance(port, int):  # SQLite stores any type
                found[ModuleId(modid, cmdid)][HostAddress(ip, port)] = record
    return found


def host_rows_txn(txn: Transaction, where: str, parameters: Sequence[object]) -> list[HostRow]:
    """The rows of RouteData that a WHERE clause, or an empty text, chooses, with what may follow it."""
    rows = txn.all(f"SELECT {', '.join((*_KEY, *COLUMNS))} FROM RouteData {where}", parameters)
    return [(modid, cmdid, ip, port, _record(*columns)) for modid, cmdid, ip, port, *columns in rows]


def _record(
    weight: int, zone: str, tags: str | None, note: str, drained_weight: int | None, until: int, reason: str
) -> HostRecord:
    words: tuple[str, ...] = ()
    if tags:
        try:
            words = tuple(map(str, json.loads(tags)))
        except (ValueError, TypeError, RecursionError):
            words = ()  # SQL wrote something else
    record = HostRecord(weight, zone, words, note, drained_weight, until, reason)
    return PLAIN if record == PLAIN else record


def _row(record: HostRecord) -> tuple[object, ...]:
    tags = json.dumps(record.tags) if record.tags else None
    until, reason = record.drained_until, record.drain_reason
    return (record.weight, record.zone, tags, record.note, record.drained_weight, until, reason)


def insert_records_txn(txn: Transaction, rows: Iterable[tuple[ModuleId, HostAddress, HostRecord]]) -> None:
    """Adds hosts to RouteData; one that is there already stays as it is."""
    txn.execute_many(
        txn.engine.insert_ignore("RouteData", [*_KEY, *COLUMNS]),
        [(*module, *host, *_row(record)) for module, host, record in rows],
    )


def update_records_txn(txn: Transaction, rows: Iterable[tuple[ModuleId, HostAddress, HostRecord]]) -> None:
    """Replaces the records of hosts in RouteData."""
    changes = ", ".join(f"{column} = ?" for column in COLUMNS)
    where = " AND ".join(f"{column} = ?" for column in _KEY)
    txn.execute_many(
        f"UPDATE RouteData SET {changes} WHERE {where}",
        [(*_row(record), *module, *host) for module, host, record in rows],
    )


def drains_over_txn(txn: Transaction, now: float) -> dict[ModuleId, list[HostAddress]]:
    """The hosts whose drain has come to its end at `now`, in Unix seconds, by module."""
    rows = txn.all(
        "SELECT modid, cmdid, serverip, serverport FROM RouteData WHERE drained_until > 0 AND drained_until <= ? "
        "AND drained_weight IS NOT NULL ORDER BY modid, cmdid, serverip, serverport LIMIT 10000",
        (int(now),),
    )
    over: dict[ModuleId, list[HostAddress]] = defaultdict(list)
    for modid, cmdid, ip, port in rows:
        over[ModuleId(modid, cmdid)].append(HostAddress(ip, port))
    return dict(over)


def settings_of_txn(txn: Transaction, modules: Collection[ModuleId]) -> dict[ModuleId, str]:
    """The texts of the settings of those of some modules that have any."""
    found = {}
    for some in parts(list(modules), 200):
        rows = txn.all(
            f"SELECT modid, cmdid, settings FROM ModuleSettings WHERE {' OR '.join([_ONE] * len(some))}",
            [number for module in some for number in module],
        )
        found.update({ModuleId(modid, cmdid): str(text) for modid, cmdid, text in rows if text})
    return found


def write_settings_txn(txn: Transaction, module: ModuleId, text: str, version: int) -> None:
    """Replaces the settings of a module; an empty text removes them."""
    if text:
        upsert = txn.engine.upsert("ModuleSettings", ["modid", "cmdid"], ["settings", "version"])
        txn.execute(upsert, (*module, text, version))
    else:
        txn.execute(f"DELETE FROM ModuleSettings WHERE {_ONE}", tuple(module))


def parts(items: Sequence[ModuleId], size: int) -> Iterator[Sequence[ModuleId]]:
    """The items in their order, `size` at a time."""
    return (items[i : i + size] for i in range(0, len(items), size))
