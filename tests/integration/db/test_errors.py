"""The error of a failed query names the database and the query, never the password; a bug keeps its traceback."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lars.db.database import Database, engine_for
from lars.db.engine import DatabaseAway, DatabaseError, Row, Transaction
from lars.db.url import parse_url
from tests.integration.mariadb import PASSWORD, MariaDb
from tests.integration.processes import ReservedPort

OpenDatabase = Callable[[str], Database]


def one(txn: Transaction) -> Row | None:
    return txn.one("SELECT 1")


async def refused(database: Database, query: Callable[[Transaction], object]) -> str:
    with pytest.raises(DatabaseError) as caught:
        await database.read("count the sheep", query)
    text = str(caught.value)
    assert PASSWORD not in text
    assert "\n" not in text
    return text


async def test_a_wrong_statement_names_database_query_and_reason(database: Database) -> None:
    def wrong(txn: Transaction) -> None:
        txn.execute("SELEC 1")

    text = await refused(database, wrong)
    assert text.startswith(f"{database.engine.where}: count the sheep: ")
    assert "syntax" in text


async def test_a_wrong_password_is_said_without_showing_it(mariadb: MariaDb, open_database: OpenDatabase) -> None:
    url = mariadb.url("lars_1").replace(":p", ":hunter2")
    text = await refused(open_database(url), one)
    assert "hunter2" not in text
    assert "Access denied for user 'lars'" in text


async def test_a_database_that_is_not_on_the_server_is_named_with_what_to_run(
    mariadb: MariaDb, open_database: OpenDatabase
) -> None:
    text = await refused(open_database(mariadb.url("nowhere")), one)
    assert "Unknown database 'nowhere'" in text
    assert "run `lars db init`" in text


async def test_a_server_that_is_not_there_is_away(open_database: OpenDatabase) -> None:
    with ReservedPort() as port:
        database = open_database(f"mysql://lars:hunter2@127.0.0.1:{port.number}/lars")
        with pytest.raises(DatabaseAway) as caught:
            await database.read("look", one)
    assert str(caught.value) == f"mysql://lars@127.0.0.1:{port.number}/lars: look: Connection refused"


async def test_a_host_name_that_cannot_be_is_away(open_database: OpenDatabase) -> None:
    text = await refused(open_database(f"mysql://lars:hunter2@{'x' * 70}/lars"), one)
    assert "label" in text


async def test_an_sqlite_file_that_cannot_be_opened_is_named(tmp_path: Path, open_database: OpenDatabase) -> None:
    text = await refused(open_database(f"sqlite:///{tmp_path}/nowhere/lars.db"), one)
    assert text == f"sqlite:///{tmp_path}/nowhere/lars.db: count the sheep: unable to open database file"


async def test_a_bug_passes_through_and_its_transaction_is_undone(database: Database) -> None:
    def buggy(txn: Transaction) -> None:
        txn.execute("UPDATE RouteVersion SET version = 5")
        raise KeyError("bug")

    def version(txn: Transaction) -> Row | None:
        return txn.one("SELECT version FROM RouteVersion")

    for _ in range(4):  # on each connection of the pool
        with pytest.raises(KeyError, match="bug"):
            await database.write("stumble", buggy)
    assert await database.read("look", version) == (0,)


def test_every_engine_names_itself_without_password(database_url: str) -> None:
    assert PASSWORD not in engine_for(parse_url(database_url)).where
