"""What lars-dns reads: the version, the modules that changed with it, and digests that show every other change.

A digest is computed by the database over each of BUCKETS parts of RouteData, so that finding an edit which no version
and no RouteChange row shows costs a scan there and BUCKETS rows here, not every row. Only digests of one database are
ever compared with each other, so that nothing need compute them the same way.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from lars.db.engine import Transaction
from lars.db.routes import version_txn
from lars.route import ModuleId, RouteRow

BUCKETS = 1024

_BUCKET = f"(modid * 31 + cmdid) % {BUCKETS}"

# Both factors are below the prime 2**31 - 1, and no product of an unsigned 32-bit column passes 2**63. A product, so
# that two modules which swap hosts are seen.
_MODULE = "(modid * 1000000007 + cmdid * 998244353 + 1) % 2147483647"
_HOST = "(serverip * 1000000007 + serverport * 998244353 + 1) % 2147483647"

_ROWS = "SELECT modid, cmdid, serverip, serverport FROM RouteData"
_ORDER = "ORDER BY modid, cmdid, serverip, serverport"

MAX_HINTS = 2_000
"""Modules read one by one after a change of version; of more, the digests find out."""

Digests = dict[int, tuple[int, int]]
"""Bucket -> rows in it, and the sum of their hashes; no bucket without rows."""

UNKNOWN = (-1, 0)
"""The digest, which no bucket has, of one that is to be read whatever the database says of it."""


def bucket_of(module: ModuleId) -> int:
    """The bucket that a module's rows are in."""
    return (module.modid * 31 + module.cmdid) % BUCKETS


@dataclass(frozen=True, slots=True)
class Look:
    """What a change of version brought, as of one moment.

    `modules` are those that RouteChange names, `rows` all their rows; both empty if it names too many.
    """

    version: int
    change_id: int
    modules: frozenset[ModuleId]
    rows: list[RouteRow]


def look_txn(txn: Transaction, version: int, change_id: int) -> Look | None:
    """What changed since a version and a RouteChange row; None if the version stands."""
    now = version_txn(txn)
    if now == version:
        return None
    newest = change_id_txn(txn)
    since = change_id if newest >= change_id else 0  # a table made anew counts from 1 again
    changes = txn.all(
        "SELECT modid, cmdid FROM RouteChange WHERE id > ? ORDER BY id LIMIT ?", (since, 10 * MAX_HINTS + 1)
    )
    modules = frozenset(ModuleId(*ids) for ids in changes if all(isinstance(n, int) for n in ids))  # SQLite takes any
    if len(modules) > MAX_HINTS or len(changes) > 10 * MAX_HINTS:
        return Look(now, newest, frozenset(), [])
    return Look(now, newest, modules, list(_rows_of(txn, sorted(modules))))


def _rows_of(txn: Transaction, modules: list[ModuleId]) -> Iterator[RouteRow]:
    """The rows of some modules, which are in order, in the order of module, ip, port."""
    one = "modid = ? AND cmdid = ?"
    for start in range(0, len(modules), 200):
        some = modules[start : start + 200]
        query = f"{_ROWS} WHERE {' OR '.join([one] * len(some))} {_ORDER}"
        yield from _as_rows(txn.all(query, list(chain.from_iterable(some))))


def change_id_txn(txn: Transaction) -> int:
    """The id of the newest RouteChange row, 0 if there is none."""
    row = txn.one("SELECT MAX(id) FROM RouteChange")
    return int(row[0] or 0) if row else 0


def digests_txn(txn: Transaction) -> Digests:
    """The digests of all of RouteData."""
    digest = f"COUNT(*), SUM(({_MODULE}) * ({_HOST}) % 2147483647)"
    rows = txn.all(f"SELECT {_BUCKET} AS bucket, {digest} FROM RouteData GROUP BY bucket")
    return {int(bucket): (int(count), int(total)) for bucket, count, total in rows}


def differing(known: Digests, found: Digests) -> set[int]:
    """The buckets that are not the same in both."""
    return {bucket for bucket in known.keys() | found.keys() if known.get(bucket) != found.get(bucket)}


def stream_rows(txn: Transaction, buckets: Collection[int] | None, pause: Callable[[], None]) -> Iterator[RouteRow]:
    """The rows of some buckets, or all, in the order of module, ip, port; `pause` is called every few hundred rows."""
    where = "" if buckets is None else f"WHERE {_BUCKET} IN ({', '.join(map(str, sorted(buckets)))})"
    for rows in txn.stream(f"{_ROWS} {where} {_ORDER}"):
        yield from _as_rows(rows)
        pause()


def _as_rows(rows: Iterable[tuple[int, ...]]) -> Iterator[RouteRow]:
    return ((modid, cmdid, ip, port) for modid, cmdid, ip, port in rows)


def prune_changes_txn(txn: Transaction, up_to_id: int, before_version: int) -> int:
    """Deletes RouteChange rows up to an id that are older than a version (Unix seconds), a thousand at most.

    Returns how many it deleted. By age alone: other instances may not have read them, and find what they name all the
    same.
    """
    oldest = "SELECT id FROM RouteChange WHERE id <= ? AND version < ? ORDER BY id LIMIT 1000"
    row = txn.one(f"SELECT MAX(id) FROM ({oldest}) AS oldest", (up_to_id, before_version))
    if row is None or row[0] is None:
        return 0
    return txn.execute("DELETE FROM RouteChange WHERE id <= ? AND version < ?", (row[0], before_version))
