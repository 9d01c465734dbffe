"""Queries when the database is down, slow, locked, or being closed."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

import pymysql
import pytest
from pymysql.constants import CR
from twisted.internet.defer import Deferred

from lars.db.database import Database
from lars.db.engine import DatabaseAway, Row, Transaction
from lars.db.mysql import MysqlEngine
from lars.db.schema import init_txn
from lars.db.url import MysqlUrl, parse_url
from lars.runtime.reactor import IReactor
from tests.integration.mariadb import MariaDb
from tests.integration.waiting import until

OpenDatabase = Callable[[str], Database]


def one(txn: Transaction) -> Row | None:
    return txn.one("SELECT 1")


def make_counter(txn: Transaction) -> None:
    txn.execute("CREATE TABLE Counter (id INT PRIMARY KEY, n INT NOT NULL)")
    txn.execute("INSERT INTO Counter VALUES (1, 0), (2, 0)")


def count(txn: Transaction) -> None:
    txn.execute("UPDATE Counter SET n = n + 1 WHERE id = 1")


def counted(txn: Transaction) -> Row | None:
    return txn.one("SELECT n FROM Counter WHERE id = 1")


@pytest.fixture
def on_mariadb(mariadb_url: str, open_database: OpenDatabase) -> Database:
    return open_database(mariadb_url)


@pytest.fixture
def impatient(mariadb_url: str, reactor: IReactor) -> Iterator[Database]:
    """A database whose queries fail after half a second without an answer."""
    url = parse_url(mariadb_url)
    assert isinstance(url, MysqlUrl)
    with closing(Database(MysqlEngine(url, read_timeout=0.5), reactor)) as database:
        yield database


class TestKilledConnections:
    """The server ended the connections of the pool, while nothing ran on them."""

    async def test_reads_and_writes_begin_on_new_ones(self, mariadb: MariaDb, on_mariadb: Database) -> None:
        await on_mariadb.write("set the scene", make_counter)
        for n in range(1, 4):
            mariadb.kill_connections()
            await on_mariadb.write("count", count)
            mariadb.kill_connections()
            assert await on_mariadb.read("look", counted) == (n,)

    async def test_connection_that_dies_within_a_transaction_fails_it_as_away(
        self, mariadb: MariaDb, on_mariadb: Database
    ) -> None:
        def killed(txn: Transaction) -> None:
            mariadb.kill_connections()
            txn.one("SELECT 1")

        with pytest.raises(DatabaseAway, match="look: "):
            await on_mariadb.read("look", killed)
        assert await on_mariadb.read("look", one) == (1,)

    async def test_isolation_of_the_servers_default_does_not_matter(
        self, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        own_mariadb.query("SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED")
        database = open_database(own_mariadb.url(own_mariadb.new_database()))
        assert await database.read("look", lambda txn: txn.one("SELECT @@tx_isolation")) == ("REPEATABLE-READ",)

    async def test_write_again_heals_by_itself_and_counts_once(self, mariadb: MariaDb, on_mariadb: Database) -> None:
        await on_mariadb.write("set the scene", make_counter)
        mariadb.kill_connections()
        await on_mariadb.write_again("count", count)
        assert await on_mariadb.read("look", counted) == (1,)


class TestLocks:
    async def test_a_transaction_that_a_deadlock_has_undone_runs_again(
        self, reactor: IReactor, on_mariadb: Database
    ) -> None:
        await on_mariadb.write("set the scene", make_counter)
        locked = {1: Event(), 2: Event()}
        runs = []

        def cross(txn: Transaction, first: int, second: int) -> None:
            runs.append(first)
            txn.execute("UPDATE Counter SET n = n + 1 WHERE id = ?", (first,))
            locked[first].set()
            assert locked[second].wait(10)
            txn.execute("UPDATE Counter SET n = n + 1 WHERE id = ?", (second,))

        both = [Deferred.fromCoroutine(on_mariadb.write("cross", cross, *pair)) for pair in ((1, 2), (2, 1))]
        outcomes: list[Any] = []
        for one_of_both in both:
            one_of_both.addBoth(outcomes.append)
        await until(reactor, lambda: len(outcomes) == 2, "both to end")
        assert outcomes == [None, None]
        assert len(runs) == 3
        assert await on_mariadb.read("look", counted) == (2,)

    async def test_sqlite_waits_for_another_writer(
        self, reactor: IReactor, tmp_path: Path, sqlite_url: str, open_database: OpenDatabase
    ) -> None:
        database = open_database(sqlite_url)
        await database.write("set the scene", make_counter)
        with closing(sqlite3.connect(tmp_path / "lars.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            counting = Deferred.fromCoroutine(database.write("count", count))
            assert await database.read("look", counted) == (0,)  # readers do not wait for writers
            other.execute("COMMIT")
        await counting
        assert await database.read("look", counted) == (1,)

    async def test_a_read_during_which_the_table_was_made_anew_begins_again(
        self, reactor: IReactor, mariadb: MariaDb, on_mariadb: Database
    ) -> None:
        await on_mariadb.write("set the scene", make_counter)
        begun, changed = Event(), Event()

        def read_slowly(txn: Transaction) -> Row | None:
            begun.set()
            assert changed.wait(10)
            return counted(txn)

        reading = Deferred.fromCoroutine(on_mariadb.read("look", read_slowly))
        await until(reactor, begun.is_set, "the transaction")
        name = on_mariadb.engine.where.rpartition("/")[2]
        mariadb.query("CREATE TABLE Loaded AS SELECT * FROM Counter", database=name)
        mariadb.query("DROP TABLE Counter", database=name)
        mariadb.query("RENAME TABLE Loaded TO Counter", database=name)
        changed.set()
        assert await reading == (0,)


class LostCommits:
    """The MySQL engine; loses the answer to the next commit, though the server has done it, or the commit itself."""

    def __init__(self, engine: MysqlEngine, mariadb: MariaDb) -> None:
        self.next = ""
        self._mariadb = mariadb
        self._connect = engine.connect

    def connect(self) -> Any:
        connection: Any = self._connect()
        commit = connection.commit

        def committing() -> None:
            when, self.next = self.next, ""
            if when == "before":
                self._mariadb.query(f"KILL {connection.thread_id()}")
            commit()
            if when == "after":
                connection._force_close()
                raise pymysql.err.OperationalError(CR.CR_SERVER_LOST, "the answer is lost")

        connection.commit = committing
        return connection


class TestLostAnswers:
    """A commit fails, and only the database knows whether it is done."""

    @pytest.fixture
    def losing(self, mariadb: MariaDb, mariadb_url: str, reactor: IReactor) -> Iterator[tuple[Database, LostCommits]]:
        url = parse_url(mariadb_url)
        assert isinstance(url, MysqlUrl)
        engine = MysqlEngine(url)
        lost = LostCommits(engine, mariadb)
        engine.connect = lost.connect  # type: ignore[method-assign]  # a server cannot be made to lose an answer
        with closing(Database(engine, reactor)) as database:
            yield database, lost

    @pytest.mark.parametrize("when", ["before", "after"])
    async def test_a_write_takes_effect_once_and_returns_the_result_of_the_run_that_did(
        self, losing: tuple[Database, LostCommits], when: str
    ) -> None:
        database, lost = losing
        await database.write_repeatable("create the schema", init_txn)
        await database.write("set the scene", make_counter)
        runs = []

        def count_runs(txn: Transaction) -> int:
            count(txn)
            runs.append(1)
            return len(runs)

        for write, n in (database.write, 1), (database.write_again, 2):
            runs.clear()
            lost.next = when
            assert await write("count", count_runs) == len(runs) == {"before": 2, "after": 1}[when]
            assert await database.read("look", counted) == (n,)

    async def test_a_write_of_unknown_outcome_says_so(self, own_mariadb: MariaDb, open_database: OpenDatabase) -> None:
        url = own_mariadb.url(own_mariadb.new_database())
        await open_database(url).write_repeatable("create the schema", init_txn)
        database = open_database(url)
        engine = database.engine
        connect = engine.connect

        def connect_and_die() -> Any:
            connection: Any = connect()
            commit = connection.commit

            def committing() -> None:
                own_mariadb.kill()
                commit()

            connection.commit = committing
            return connection

        engine.connect = connect_and_die  # type: ignore[method-assign]
        with pytest.raises(DatabaseAway, match="it may be done all the same: look before you repeat it"):
            await database.write("set the scene", make_counter)


class TestTimeouts:
    async def test_a_query_without_an_answer_fails_as_away_and_the_next_heals(self, impatient: Database) -> None:
        def sleep(txn: Transaction) -> None:
            txn.execute("SELECT SLEEP(30)")

        start = time.monotonic()
        with pytest.raises(DatabaseAway, match=r"doze: .*timed out"):
            await impatient.read("doze", sleep)
        assert time.monotonic() - start < 5
        assert await impatient.read("look", one) == (1,)

    async def test_a_write_that_times_out_each_time_is_given_up_after_four_runs(self, impatient: Database) -> None:
        runs = []

        def sleep(txn: Transaction) -> None:
            runs.append(1)
            txn.execute("SELECT SLEEP(30)")

        with pytest.raises(DatabaseAway):
            await impatient.write_again("doze", sleep)
        assert len(runs) == 4


class TestServerGone:
    async def test_a_query_under_way_fails_as_away_and_queries_heal_after_the_restart(
        self, reactor: IReactor, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(own_mariadb.url(own_mariadb.new_database()))
        under_way = Event()

        def sleep(txn: Transaction) -> None:
            under_way.set()
            txn.execute("SELECT SLEEP(30)")

        sleeping = Deferred.fromCoroutine(database.read("doze", sleep))
        await until(reactor, under_way.is_set, "the query")
        own_mariadb.kill()
        with pytest.raises(DatabaseAway, match="doze: "):
            await sleeping
        with pytest.raises(DatabaseAway, match=r"look: .*refused"):
            await database.read("look", one)
        own_mariadb.start()
        await own_mariadb.answers()
        assert await database.read("look", one) == (1,)


class TestClose:
    """Database.close takes no longer than it takes to cut what runs, and every query then fails as away."""

    async def assert_closes_at_once(self, reactor: IReactor, database: Database, queries: int) -> None:
        failures: list[Any] = []
        for _ in range(queries):
            Deferred.fromCoroutine(database.read("look", one)).addBoth(failures.append)
        await until(reactor, lambda: True, "the threads to begin")
        start = time.monotonic()
        database.close()
        assert time.monotonic() - start < 4, "cut off, not waited out: a hung query would take 10 s"
        await until(reactor, lambda: len(failures) == queries, lambda: f"{queries} failures, not {failures}", 1)
        assert all(failure.check(DatabaseAway) for failure in failures), failures
        with pytest.raises(DatabaseAway, match="look: the connection is being closed"):
            await database.read("look", one)

    async def test_while_a_query_hangs(
        self, reactor: IReactor, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(own_mariadb.url(own_mariadb.new_database()))
        await database.read("look", one)
        own_mariadb.pause()
        await self.assert_closes_at_once(reactor, database, 1)

    async def test_while_an_encrypted_query_hangs(
        self, reactor: IReactor, own_tls_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        def cipher(txn: Transaction) -> Row | None:
            return txn.one("SHOW SESSION STATUS LIKE 'Ssl_version'")

        database = open_database(own_tls_mariadb.url(own_tls_mariadb.new_database()))
        assert (await database.read("look", cipher) or ("", ""))[1].startswith("TLS")
        own_tls_mariadb.pause()
        await self.assert_closes_at_once(reactor, database, 1)

    async def test_while_more_queries_wait_than_there_are_threads(
        self, reactor: IReactor, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(own_mariadb.url(own_mariadb.new_database()))
        await database.read("look", one)
        own_mariadb.pause()
        await self.assert_closes_at_once(reactor, database, 7)

    async def test_while_a_connection_is_being_made(
        self, reactor: IReactor, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        own_mariadb.pause()
        await self.assert_closes_at_once(reactor, open_database(own_mariadb.url("lars_1")), 3)

    async def test_while_an_sqlite_file_is_locked(
        self, reactor: IReactor, tmp_path: Path, sqlite_url: str, open_database: OpenDatabase
    ) -> None:
        database = open_database(sqlite_url)
        await database.write("set the scene", make_counter)
        failures: list[Any] = []
        with closing(sqlite3.connect(tmp_path / "lars.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for _ in range(4):
                Deferred.fromCoroutine(database.write("count", count)).addBoth(failures.append)
            start = time.monotonic()
            database.close()
            assert time.monotonic() - start < 4, "cut off, not waited out: a hung query would take 10 s"
            await until(reactor, lambda: len(failures) == 4, lambda: f"4 failures, not {failures}")
        assert all(failure.check(DatabaseAway) for failure in failures), failures

    def test_twice_and_before_anything_was_asked(self, database_url: str, open_database: OpenDatabase) -> None:
        database = open_database(database_url)
        database.close()
        database.close()


async def test_a_read_that_a_new_table_overtakes_begins_again(mariadb: MariaDb, on_mariadb: Database) -> None:
    await on_mariadb.write("set the scene", make_counter)
    database = on_mariadb.engine.where.rpartition("/")[2]
    attempts: list[int] = []

    def overtaken(txn: Transaction) -> Row | None:
        attempts.append(1)
        if len(attempts) == 1:
            mariadb.query("DROP TABLE Counter", database=database)
            mariadb.query("CREATE TABLE Counter (id INT PRIMARY KEY, n INT NOT NULL)", database=database)
        return txn.one("SELECT COUNT(*) FROM Counter")

    assert await on_mariadb.read("count", overtaken) == (0,)
    assert len(attempts) == 2


async def test_server_is_reached_by_its_unix_socket(mariadb: MariaDb, open_database: OpenDatabase) -> None:
    database = open_database(mariadb.socket_url(mariadb.new_database()))
    peer = await database.read("ask", lambda txn: txn.one("SELECT USER()"))
    assert peer is not None
    assert peer[0].endswith("@localhost")
    lost = open_database("mysql://ann@localhost/lars?unix_socket=/nowhere/sock")
    with pytest.raises(DatabaseAway, match="unix_socket=/nowhere/sock: ask: No such file"):
        await lost.read("ask", one)
