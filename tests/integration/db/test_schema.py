"""`lars db init` and `lars db check`: everything is created, a second run does nothing, no row is ever lost."""

import re
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred, gatherResults

from lars.db.database import Database, engine_for
from lars.db.engine import DatabaseError, Transaction
from lars.db.schema import check_txn, init_txn
from lars.db.url import parse_url
from tests.integration.mariadb import MariaDb

OpenDatabase = Callable[[str], Database]

TABLES = {
    *("RouteData", "RouteVersion", "RouteChange", "ServerCallStatus", "ModIDConfig", "CmdIDConfig"),
    *("SchemaVersion", "RouteDuplicate", "ServerCallHistory", "ReportCursor", "CallerSeen", "RouteAudit"),
}


async def init(database: Database) -> list[str]:
    return await database.write("create the schema", init_txn)


async def problems(database: Database) -> list[str]:
    return (await database.read("check", check_txn)).problems


async def rows(database: Database, sql: str) -> list[tuple[object, ...]]:
    def select(txn: Transaction) -> list[tuple[object, ...]]:
        return txn.all(sql)

    return await database.read("look", select)


async def run(database: Database, *statements: str) -> None:
    def execute(txn: Transaction) -> None:
        for statement in statements:
            txn.execute(statement)

    await database.write("set the scene", execute)


async def test_init_creates_every_table_and_says_so(database_url: str, open_database: OpenDatabase) -> None:
    database = open_database(database_url)
    done = await init(database)
    assert {line.removeprefix("created table ") for line in done} >= TABLES
    assert await problems(database) == []
    assert await rows(database, "SELECT id, version FROM RouteVersion") == [(1, 0)]


async def test_second_init_does_nothing(database: Database) -> None:
    await run(database, "UPDATE RouteVersion SET version = 77")
    assert await init(database) == []
    assert await rows(database, "SELECT id, version FROM RouteVersion") == [(1, 77)]


async def test_init_at_the_same_time_from_two_places_is_as_good_as_from_one(
    database_url: str, open_database: OpenDatabase
) -> None:
    one, other = open_database(database_url), open_database(database_url)
    both = gatherResults([Deferred.fromCoroutine(init(database)) for database in (one, other)])
    done = await both
    assert sorted(bool(lines) for lines in done) == [False, True]
    assert await problems(one) == []


async def test_a_database_that_stays_open_after_init_keeps_no_other_init_out(
    database: Database, open_database: OpenDatabase, database_url: str
) -> None:
    assert await init(open_database(database_url)) == []


async def test_table_that_was_dropped_is_created_again(database: Database) -> None:
    await run(database, "DROP TABLE RouteAudit", "DROP TABLE CallerSeen")
    missing = await problems(database)
    assert missing == [f"table {name} is missing: run `lars db init`" for name in ("CallerSeen", "RouteAudit")]
    assert await init(database) == ["created table CallerSeen", "created table RouteAudit"]
    assert await problems(database) == []


async def test_version_row_that_was_deleted_is_made_again(database: Database) -> None:
    await run(database, "DELETE FROM RouteVersion")
    assert await problems(database) == ["RouteVersion has no row with id 1: run `lars db init`"]
    await init(database)
    assert await rows(database, "SELECT id, version FROM RouteVersion") == [(1, 0)]


async def test_check_of_an_empty_database_names_every_table(database_url: str, open_database: OpenDatabase) -> None:
    named = {re.match(r"table (\w+) is missing", line) for line in await problems(open_database(database_url))}
    assert {match[1] for match in named if match} >= TABLES


async def test_check_counts_routes_and_names_rows_that_cannot_be_served(database: Database) -> None:
    await run(
        database,
        "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES "
        "(1, 1, 3232235953, 80), (1, 1, 3232235954, 80), (1, 2, 3232235953, 80), (0, 0, 3232235953, 80), "
        "(1, 1, 0, 80), (1, 1, 3232235953, 70000), (2147483648, 1, 3232235953, 80)",
        "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES "
        + ", ".join(f"(9, 9, {ip}, 80)" for ip in range(1, 4002)),
    )
    checked = await database.read("check", check_txn)
    assert (checked.routes, checked.modules) == (7 + 4001, 5)
    assert [line.split(":")[0] for line in checked.problems[:4]] == [f"RouteData row {n}" for n in (4, 5, 6, 7)]
    assert checked.problems[4:] == ["module (9, 9) has 4001 hosts, over 4000: the excess is not served"]


async def test_query_of_a_database_without_the_schema_says_what_to_run(
    database_url: str, open_database: OpenDatabase
) -> None:
    with pytest.raises(DatabaseError, match=r"look: .*RouteVersion.*; run `lars db init`"):
        await rows(open_database(database_url), "SELECT * FROM RouteVersion")


async def test_insert_into_a_column_of_a_newer_schema_says_what_to_run(database: Database) -> None:
    with pytest.raises(DatabaseError, match=r"set the scene: .*colour.*; run `lars db init`"):
        await run(database, "INSERT INTO RouteData (colour) VALUES (1)")


def test_database_missing_on_the_server_is_created(mariadb: MariaDb) -> None:
    name = "lars-new`1_" + "x" * 53  # as long as a name may be
    engine = engine_for(parse_url(mariadb.url(name.replace("`", "%60"))))
    assert engine.create_database()
    assert not engine.create_database()
    assert (name,) in mariadb.query("SHOW DATABASES")


async def test_database_with_the_longest_name_can_be_initialised(mariadb: MariaDb, open_database: OpenDatabase) -> None:
    name = "l" * 64
    mariadb.query(f"CREATE DATABASE {name}")
    database = open_database(mariadb.url(name))
    await init(database)
    assert await problems(database) == []


def test_sqlite_file_in_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    engine = engine_for(parse_url(f"sqlite:///{tmp_path}/nowhere/lars.db"))
    assert not engine.create_database()
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        engine.connect()


async def test_sqlite_file_and_its_wal_are_private(tmp_path: Path, open_database: OpenDatabase) -> None:
    for name, before, after in (("new", None, 0o600), ("old", 0o644, 0o600), ("shared", 0o664, 0o660)):
        file = tmp_path / name
        if before is not None:
            file.touch()
            file.chmod(before)
        await open_database(f"sqlite:///{file}").write("create the schema", init_txn)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob(f"{name}*")}
        assert modes == {name: after, f"{name}-wal": after, f"{name}-shm": after}
