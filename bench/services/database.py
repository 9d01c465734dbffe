"""The routes in a database, written with the plain driver in the caller's thread, as an operator's tools do."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from lars.db.database import engine_for
from lars.db.engine import Transaction, values_clause
from lars.db.routes import RouteEdit, edit_txn
from lars.db.schema import init_txn
from lars.db.url import parse_url

_COLUMNS = ("modid", "cmdid", "serverip", "serverport", "weight", "zone")

_ROWS = 50_000
"""Rows in one transaction while filling."""


class RouteDatabase:
    """One connection to one database; not to be used by two threads at once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = engine_for(parse_url(url))
        self._engine.create_database()
        self._connection = self._engine.connect()
        with self._write() as txn:
            init_txn(txn)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    @contextmanager
    def _write(self) -> Iterator[Transaction]:
        """A transaction, committed at the end; a benchmark that fails has no use for a rollback."""
        cursor = self._connection.cursor()
        self._engine.begin(cursor, self._engine.begin_write)
        yield Transaction(self._engine, cursor)
        cursor.close()
        self._connection.commit()

    def fill(self, rows: Iterable[Sequence[object]], settings: Iterable[Sequence[object]] = ()) -> None:
        """Adds rows, addresses alone or with weight and zone, to RouteData, and settings (modid, cmdid, text) to
        ModuleSettings, then makes one new version of them all."""
        remaining = iter(rows)
        while some := list(islice(remaining, _ROWS)):
            with self._write() as txn:
                columns = _COLUMNS[: len(some[0])]
                txn.execute_many(f"INSERT INTO RouteData {values_clause(columns)}", some)
        texts = iter(settings)
        while some := list(islice(texts, _ROWS)):
            with self._write() as txn:
                insert = "INSERT INTO ModuleSettings (modid, cmdid, settings, version) VALUES (?, ?, ?, 1)"
                txn.execute_many(insert, some)
        with self._write() as txn:
            self._new_version(txn)

    def run(self, function: Callable[[Transaction], None]) -> None:
        """Runs a function in a transaction."""
        with self._write() as txn:
            function(txn)

    def edit(self, *edits: RouteEdit) -> float:
        """Makes an edit as the command line does; the moment (monotonic) when its COMMIT returned."""
        with self._write() as txn:
            edit_txn(txn, "bench", time.time(), edits)
        return time.monotonic()

    def one(self, sql: str) -> tuple[int, ...]:
        """The numbers in the one row of a query."""
        with self._write() as txn:
            row = txn.one(sql)
        return tuple(int(value or 0) for value in row or ())

    def move_ports(self, modids: Iterable[int]) -> float:
        """Adds 1 to every port of these modids in one transaction with one new version, and writes no RouteChange, as
        some of the C++ tools; the moment (monotonic) when its COMMIT returned."""
        with self._write() as txn:
            for modid in modids:  # a statement each, so that none outlasts the driver's timeout
                txn.execute("UPDATE RouteData SET serverport = serverport + 1 WHERE modid = ?", (modid,))
            self._new_version(txn)
        return time.monotonic()

    def _new_version(self, txn: Transaction) -> None:
        row = txn.one(f"SELECT version FROM RouteVersion WHERE id = 1{self._engine.for_update}")
        version = max((int(row[0]) if row else 0) + 1, int(time.time()))
        txn.execute(self._engine.upsert("RouteVersion", ["id"], ["version"]), (1, version))
