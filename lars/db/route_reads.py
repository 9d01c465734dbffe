"""The reads of lars-dns: the version, the modules that changed with it, and digests that reveal all other changes.

The database computes a digest over each of BUCKETS parts of RouteData. To find an edit that changed neither the version
nor RouteChange thus costs a scan in the database and BUCKETS rows here, not every row. Digests are only compared with
those of the same database (docs/design/database.md, reading a version).
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from lars.db.engine import Transaction
from lars.db.hosts import settings_of_txn
from lars.db.routes import version_txn
from lars.route import ModuleId, RouteRow

BUCKETS = 1024
"""Parts of RouteData, each with a digest."""

_BUCKET = f"(modid * 31 + cmdid) % {BUCKETS}"

# All factors are below the prime 2**31 - 1, and no product of an unsigned 32-bit column passes 2**63. A product, so
# that two modules which swap hosts are seen, and two hosts which swap weights. MySQL adds no negative weight to an
# unsigned number.
_MODULE = "(modid * 1000000007 + cmdid * 998244353 + 1) % 2147483647"
_ADDRESS = "(serverip * 1000000007 + serverport * 998244353 + 1) % 2147483647"
_RECORD = "((weight + 2147483648) * 40503 + CASE WHEN zone = '' THEN 0 ELSE CRC32(zone) END) % 2147483647"
_HOST = f"({_ADDRESS}) * ({_RECORD}) % 2147483647"

_ROWS = "SELECT modid, cmdid, serverip, serverport, weight, zone FROM RouteData"
_ORDER = "ORDER BY modid, cmdid, serverip, serverport"

MAX_HINTS = 2_000
"""Modules read one by one after a change of version; more than that are left to the digests."""

Digests = dict[int, tuple[int, int]]
"""Bucket -> its number of rows, and the sum of their hashes; without empty buckets."""

UNKNOWN = (-1, 0)
"""A digest that no bucket has: one with it is read whatever the database answers."""


def bucket_of(module: ModuleId) -> int:
    """The bucket of a module's rows, as the database computes it."""
    return (module.modid * 31 + module.cmdid) % BUCKETS


@dataclass(frozen=True, slots=True)
class Look:
    """A change of version, as of one moment.

    `modules` are those that RouteChange names, `rows` all their rows, and `settings` the texts of their settings; all
    are empty if it names too many.
    """

    version: int
    change_id: int
    modules: frozenset[ModuleId]
    rows: list[RouteRow]
    settings: dict[ModuleId, str]


def look_txn(txn: Transaction, version: int, change_id: int) -> Look | None:
    """The changes since a version and a RouteChange row; None if the version has not changed."""
    now = version_txn(txn)
    if now == version:
        return None
    newest = change_id_txn(txn)
    since = change_id if newest >= change_id else 0  # a recreated table counts from 1 again
    changes = txn.all(
        "SELECT modid, cmdid FROM RouteChange WHERE id > ? ORDER BY id LIMIT ?", (since, 10 * MAX_HINTS + 1)
    )
    modules = frozenset(ModuleId(*ids) for ids in changes if all(isinstance(n, int) for n in ids))  # SQLite stores all
    if len(modules) > MAX_HINTS or len(changes) > 10 * MAX_HINTS:
        return Look(now, newest, frozenset(), [], {})
    rows = list(_rows_of(txn, sorted(modules)))
    return Look(now, newest, modules, rows, settings_of_txn(txn, sorted(modules)))


def _rows_of(txn: Transaction, modules: list[ModuleId]) -> Iterator[RouteRow]:
    """The rows of some sorted modules, ordered by module, ip and port."""
    one = "modid = ? AND cmdid = ?"
    for start in range(0, len(modules), 200):
        some = modules[start : start + 200]
        query = f"{_ROWS} WHERE {' OR '.join([one] * len(some))} {_ORDER}"
        yield from txn.all(query, list(chain.from_iterable(some)))


def change_id_txn(txn: Transaction) -> int:
    """The id of the newest RouteChange row, 0 if there is none."""
    row = txn.one("SELECT MAX(id) FROM RouteChange")
    return int(row[0] or 0) if row else 0


def digests_txn(txn: Transaction) -> Digests:
    """The digests of all of RouteData and ModuleSettings."""
    digest = f"COUNT(*), SUM(({_MODULE}) * ({_HOST}) % 2147483647)"
    rows = txn.all(f"SELECT {_BUCKET} AS bucket, {digest} FROM RouteData GROUP BY bucket")
    found = {int(bucket): (int(count), int(total)) for bucket, count, total in rows}
    settings = f"COUNT(*), SUM(({_MODULE}) * (CRC32(settings) % 2147483647) % 2147483647)"
    for bucket, count, total in txn.all(f"SELECT {_BUCKET} AS bucket, {settings} FROM ModuleSettings GROUP BY bucket"):
        hosts, sum_of_hosts = found.get(int(bucket), (0, 0))
        found[int(bucket)] = (hosts + int(count), sum_of_hosts + int(total))
    return found


def differing(known: Digests, found: Digests) -> set[int]:
    """The buckets whose digests differ."""
    return {bucket for bucket in known.keys() | found.keys() if known.get(bucket) != found.get(bucket)}


def stream_rows(txn: Transaction, buckets: Collection[int] | None, pause: Callable[[], None]) -> Iterator[RouteRow]:
    """The rows of some buckets, or all, ordered by module, ip and port; calls `pause` every few hundred rows."""
    where = "" if buckets is None else f"WHERE {_BUCKET} IN ({', '.join(map(str, sorted(buckets)))})"
    for rows in txn.stream(f"{_ROWS} {where} {_ORDER}"):
        yield from rows
        pause()


def settings_of_buckets_txn(txn: Transaction, buckets: Collection[int] | None) -> dict[ModuleId, str]:
    """The texts of the settings of the modules in some buckets, or of all."""
    where = "" if buckets is None else f"WHERE {_BUCKET} IN ({', '.join(map(str, sorted(buckets)))})"
    rows = txn.all(f"SELECT modid, cmdid, settings FROM ModuleSettings {where}")
    return {ModuleId(modid, cmdid): str(text) for modid, cmdid, text in rows if text}


def prune_changes_txn(txn: Transaction, up_to_id: int, before_version: int) -> int:
    """Deletes at most a thousand RouteChange rows up to an id and older than a version (Unix seconds).

    Returns how many it deleted. An instance that has not read them yet finds their changes by digest.
    """
    oldest = "SELECT id FROM RouteChange WHERE id <= ? AND version < ? ORDER BY id LIMIT 1000"
    row = txn.one(f"SELECT MAX(id) FROM ({oldest}) AS oldest", (up_to_id, before_version))
    if row is None or row[0] is None:
        return 0
    return txn.execute("DELETE FROM RouteChange WHERE id <= ? AND version < ?", (row[0], before_version))
