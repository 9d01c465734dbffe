"""One check of all routes, in a pool thread: reads and packs the parts whose digest in the database differs."""

from collections.abc import Callable
from dataclasses import dataclass

from lars.db.engine import Transaction
from lars.db.route_reads import (
    BUCKETS,
    Digests,
    change_id_txn,
    differing,
    digests_txn,
    settings_of_buckets_txn,
    stream_rows,
)
from lars.db.routes import version_txn
from lars.dns.table import Refused, Routes, pack_routes


@dataclass(frozen=True, slots=True)
class FullCheck:
    """What a check found, as of one moment.

    Attributes:
        version: the route version.
        change_id: the newest row of RouteChange.
        digests: one for each bucket.
        buckets: those that were read; None for all.
        routes: all modules of the buckets that were read.
        refused: rows that cannot be served.
    """

    version: int
    change_id: int
    digests: Digests
    buckets: set[int] | None
    routes: Routes
    refused: Refused


def full_check_txn(txn: Transaction, known: Digests, pause: Callable[[], None]) -> FullCheck:
    """Reads the buckets whose digest is not the known one; all with one scan if they are many."""
    version, change_id, digests = version_txn(txn), change_id_txn(txn), digests_txn(txn)
    refused = Refused()
    buckets: set[int] | None = differing(known, digests)
    if buckets is not None and len(buckets) > BUCKETS // 4:
        buckets = None
    routes: Routes = {}
    if buckets != set():
        settings = settings_of_buckets_txn(txn, buckets)
        routes = dict(pack_routes(stream_rows(txn, buckets, pause), settings, refused))
    return FullCheck(version, change_id, digests, buckets, routes, refused)
