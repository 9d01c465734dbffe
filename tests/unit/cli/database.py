"""A real SQLite database for commands to work on."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from lars.db.engine import Transaction
from lars.db.schema import init_txn
from lars.db.sqlite import SqliteEngine
from lars.db.url import SqliteUrl

T = TypeVar("T")


class SqliteFile:
    """lars.db in a new folder, where a command run with `cwd=folder` finds it; with the schema, as `lars db init`."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder).absolute()
        self.folder.mkdir(parents=True)
        self.path = self.folder / "lars.db"
        self.transact(init_txn)

    def transact(self, function: Callable[[Transaction], T]) -> T:
        """Runs a transaction of the stores."""
        engine = SqliteEngine(SqliteUrl(self.path))
        with closing(engine.connect()) as connection:
            result = function(Transaction(engine, connection.cursor()))
            connection.commit()
            return result

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What an SQL query finds."""
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query).fetchall()

    def execute(self, statement: str) -> None:
        """Changes the database by SQL."""
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement)
