"""A database made by the C++ Lars is brought up to date in place, and every row is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from lars.db.database import Database
from lars.db.schema import check_txn, init_txn
from lars.route import parse_ip
from tests.integration.mariadb import MariaDb

CPP_SCHEMA = Path(__file__).with_name("cpp_lars_dns.sql")
SIGNED, UNSIGNED = "int(11)", "int(10) unsigned"

OpenDatabase = Callable[[str], Database]


def load_cpp(mariadb: MariaDb, name: str, address: str) -> None:
    """The C++ database, as its SQL file makes it; afresh if it is there."""
    for statement in CPP_SCHEMA.read_text(encoding="utf-8").replace("{address}", address).split(";"):
        table = statement.partition("CREATE TABLE `")[2].partition("`")[0]
        if table:
            mariadb.query(f"DROP TABLE IF EXISTS {table}", database=name)
        if statement.strip():
            mariadb.query(statement, database=name)


async def init(database: Database) -> list[str]:
    return await database.write("create the schema", init_txn)


@pytest.fixture
def name(mariadb: MariaDb) -> str:
    return mariadb.new_database()


@pytest.fixture
def database(mariadb: MariaDb, name: str, open_database: OpenDatabase) -> Database:
    return open_database(mariadb.url(name))


async def test_rows_are_kept_and_duplicate_routes_moved_aside(mariadb: MariaDb, name: str, database: Database) -> None:
    load_cpp(mariadb, name, UNSIGNED)
    done = await init(database)
    assert "added the unique key of RouteData" in done
    assert "moved 3 duplicate rows of RouteData to RouteDuplicate" in done
    routes = "SELECT id, modid, cmdid, serverip, serverport FROM {} ORDER BY id"
    assert mariadb.query(routes.format("RouteData"), database=name) == [
        (1, 1, 1, parse_ip("192.168.1.177"), 7777),
        (2, 1, 1, parse_ip("192.168.17.129"), 7001),
        (4, 1, 2, parse_ip("192.168.1.178"), 7776),
    ]
    assert mariadb.query(routes.format("RouteDuplicate"), database=name) == [
        (3, 1, 1, parse_ip("192.168.1.177"), 7777),
        (5, 1, 1, parse_ip("192.168.1.177"), 7777),
        (6, 1, 2, parse_ip("192.168.1.178"), 7776),
    ]
    assert mariadb.query("SELECT id, version FROM RouteVersion", database=name) == [(1, 1544422320)]
    assert len(mariadb.query("SELECT * FROM RouteChange", database=name)) == 2
    by_position = mariadb.query("SELECT * FROM RouteData ORDER BY id", database=name)  # as a C++ lars-dns reads
    assert [row[:5] for row in by_position] == mariadb.query(routes.format("RouteData"), database=name)
    assert {row[5:] for row in by_position} == {(100, "", None, "", None, 0, "")}
    checked = await database.read("check", check_txn)
    assert (checked.version, checked.routes, checked.modules, checked.problems) == (1544422320, 3, 2, [])


@pytest.mark.parametrize("address", [SIGNED, UNSIGNED])
async def test_second_init_does_nothing(mariadb: MariaDb, name: str, database: Database, address: str) -> None:
    load_cpp(mariadb, name, address)
    await init(database)
    assert await init(database) == []


async def test_negative_addresses_become_the_numbers_they_stand_for(
    mariadb: MariaDb, name: str, database: Database
) -> None:
    load_cpp(mariadb, name, SIGNED)
    mariadb.query(
        "INSERT INTO ServerCallStatus VALUES (1, 1, -1062731343, 7777, 2130706433, 100, 3, 1795362595, '0'), "
        "(1, 1, -1, 7777, -2147483648, 0, 7, 1795362596, '1')",
        database=name,
    )
    done = await init(database)
    assert [line for line in done if "unsigned" in line] == [
        f"made ServerCallStatus.{column} unsigned" for column in ("ip", "port", "caller")
    ]
    assert mariadb.query("SELECT * FROM ServerCallStatus ORDER BY ts", database=name) == [
        (1, 1, parse_ip("192.168.1.177"), 7777, parse_ip("127.0.0.1"), 100, 3, 1795362595, "0"),
        (1, 1, parse_ip("255.255.255.255"), 7777, parse_ip("128.0.0.0"), 0, 7, 1795362596, "1"),
    ]


async def test_a_conversion_that_was_cut_off_is_finished(mariadb: MariaDb, name: str, database: Database) -> None:
    load_cpp(mariadb, name, SIGNED)
    mariadb.query("INSERT INTO ServerCallStatus VALUES (1, 1, -1, 7777, -2, 1, 1, 1, '0')", database=name)
    mariadb.query("ALTER TABLE ServerCallStatus MODIFY ip BIGINT NOT NULL", database=name)
    mariadb.query("ALTER TABLE ServerCallStatus MODIFY caller BIGINT NOT NULL", database=name)
    mariadb.query("UPDATE ServerCallStatus SET caller = 4294967294", database=name)
    await init(database)
    assert mariadb.query("SELECT ip, caller FROM ServerCallStatus", database=name) == [(2**32 - 1, 2**32 - 2)]


async def test_names_become_utf8mb4_and_keep_their_text(mariadb: MariaDb, name: str, database: Database) -> None:
    load_cpp(mariadb, name, UNSIGNED)
    done = await init(database)
    assert {f"made the names in {table} utf8mb4" for table in ("ModIDConfig", "CmdIDConfig")} <= set(done)
    mariadb.query("INSERT INTO ModIDConfig (modid, content) VALUES (2, '🚀')", database=name)
    assert mariadb.query("SELECT content FROM ModIDConfig ORDER BY id", database=name) == [("支付",), ("🚀",)]
    assert mariadb.query("SELECT content FROM CmdIDConfig", database=name) == [("ré",)]


async def test_a_cpp_dump_loaded_over_our_schema_is_brought_up_to_date_again(
    mariadb: MariaDb, name: str, database: Database
) -> None:
    await init(database)
    load_cpp(mariadb, name, SIGNED)
    (problem,) = (await database.read("check", check_txn)).problems
    assert problem.startswith("table RouteData lacks weight, zone")
    done = await init(database)
    assert "moved 3 duplicate rows of RouteData to RouteDuplicate" in done
    assert "made ServerCallStatus.ip unsigned" in done
    assert (await database.read("check", check_txn)).problems == []


async def test_a_database_without_any_version_row_gets_the_highest_there_is(
    mariadb: MariaDb, name: str, database: Database
) -> None:
    load_cpp(mariadb, name, UNSIGNED)
    mariadb.query("UPDATE RouteVersion SET id = 7", database=name)
    await init(database)
    assert mariadb.query("SELECT version FROM RouteVersion WHERE id = 1", database=name) == [(1544422320,)]
