"""Several servers in one URL, of which one refuses, hangs, is read-only or killed; and servers with TLS."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent

from bench.processes.ports import ReservedPort
from lars.db.database import Database
from lars.db.engine import DatabaseAway, DatabaseError, Transaction
from tests.integration.mariadb import MariaDb, write_certificate
from tests.integration.waiting import until

OpenDatabase = Callable[[str], Database]


def port(txn: Transaction) -> int:
    (number,) = txn.one("SELECT @@port") or (0,)
    return int(number)


def several(first: object, second: MariaDb) -> str:
    """The URL of one database on two servers."""
    name = second.new_database()
    if isinstance(first, MariaDb):
        first.query(f"CREATE DATABASE {name}")
    number = first.port if isinstance(first, MariaDb) else first
    return second.url(name).replace("@127.0.0.1:", f"@127.0.0.1:{number},127.0.0.1:")


class TestSeveralServers:
    @pytest.fixture
    def said(self) -> Iterator[Callable[[], list[str]]]:
        """What lars.db says of servers."""
        with capturedLogs() as events:
            yield lambda: [
                formatEvent(event) for event in events if event["log_namespace"] == "lars.db.mysql_connections"
            ]

    async def test_the_next_is_used_where_the_first_refuses_and_that_is_said_once(
        self, mariadb: MariaDb, open_database: OpenDatabase, said: Callable[[], list[str]]
    ) -> None:
        with ReservedPort() as nobody:
            database = open_database(several(nobody.number, mariadb))
            assert await database.write("ask", port) == mariadb.port
            assert await database.read("ask", port) == mariadb.port
            [line] = said()
            assert line == (
                f"the database is at 127.0.0.1:{mariadb.port} now: 127.0.0.1:{nobody.number} fails: Connection refused"
            )

    async def test_error_names_each_server_if_none_answers(self, open_database: OpenDatabase) -> None:
        with ReservedPort() as one, ReservedPort() as two:
            url = f"mysql://ann:secret@127.0.0.1:{one.number},127.0.0.1:{two.number}/lars"
            with pytest.raises(DatabaseAway) as error:
                await open_database(url).read("look", port)
        text = str(error.value)
        assert text.count("fails: Connection refused") == 2
        assert "secret" not in text

    async def test_read_only_server_is_left_while_another_takes_writes(
        self, reactor: Any, mariadb: MariaDb, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(several(own_mariadb, mariadb))
        assert await database.write("ask", port) == own_mariadb.port
        own_mariadb.query("SET GLOBAL read_only = 1")

        async def moved() -> bool:
            return await database.read("ask", port) == mariadb.port

        await until(reactor, moved, "the other server to be used", 5)
        assert await database.write("ask", port) == mariadb.port

    async def test_read_only_server_alone_is_read_and_refuses_writes_in_one_line(
        self, reactor: Any, own_mariadb: MariaDb, open_database: OpenDatabase, said: Callable[[], list[str]]
    ) -> None:
        own_mariadb.query("SET GLOBAL read_only = 1")
        with ReservedPort() as nobody:
            database = open_database(several(nobody.number, own_mariadb))
            assert await database.read("ask", port) == own_mariadb.port
            with pytest.raises(DatabaseAway, match=r"no server takes writes: 127.0.0.1:\d+ is read-only$"):
                await database.write("ask", port)
            own_mariadb.query("SET GLOBAL read_only = 0")
            await until(reactor, lambda: len(said()) == 2, lambda: f"two lines, not {said()}", 5)
            assert said()[1] == f"the database at 127.0.0.1:{own_mariadb.port} takes writes again"
            assert await database.write("ask", port) == own_mariadb.port

    @pytest.mark.parametrize("fault", ["killed", "hanging"])
    async def test_transaction_under_way_moves_from_a_server_that_fails_within_five_seconds(
        self,
        reactor: Any,
        mariadb: MariaDb,
        own_mariadb: MariaDb,
        open_database: OpenDatabase,
        said: Callable[[], list[str]],
        fault: str,
    ) -> None:
        database = open_database(several(own_mariadb, mariadb))
        begun: list[int] = []

        def slow_there(txn: Transaction) -> int:
            begun.append(port(txn))
            if begun[-1] == own_mariadb.port:
                txn.one("SELECT SLEEP(30)")
            return begun[-1]

        writing = Deferred.fromCoroutine(database.write("ask", slow_there))
        await until(reactor, lambda: begun, "the transaction to begin")
        before = time.monotonic()
        if fault == "killed":
            own_mariadb.kill()
        else:
            own_mariadb.pause()
        assert await writing == mariadb.port
        assert time.monotonic() - before < 5
        assert len(said()) == 1, said()

    async def test_closing_does_not_wait_for_a_server_that_hangs(
        self, mariadb: MariaDb, own_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(several(own_mariadb, mariadb))
        assert await database.write("ask", port) == own_mariadb.port
        own_mariadb.pause()
        before = time.monotonic()
        asking = Deferred.fromCoroutine(database.read("ask", port))
        database.close()
        with pytest.raises(DatabaseAway):
            await asking
        assert time.monotonic() - before < 4


class TestTls:
    """?ssl_ca=: an encrypted connection to a server of that name and CA, or one line that says what is wrong."""

    def url(self, server: MariaDb, ca: Path, host: str = "127.0.0.1") -> str:
        url = server.url(server.new_database())
        return f"{url.replace('@127.0.0.1:', f'@{host}:')}?ssl_ca={ca}"

    async def fails(self, open_database: OpenDatabase, url: str) -> str:
        with pytest.raises(DatabaseError) as error:
            await open_database(url).read("look", port)
        text = str(error.value)
        assert "\n" not in text
        return text.partition("look: ")[2]

    async def test_server_of_the_ca_is_reached_encrypted(
        self, own_tls_mariadb: MariaDb, open_database: OpenDatabase
    ) -> None:
        database = open_database(self.url(own_tls_mariadb, own_tls_mariadb.certificate))
        cipher = await database.read("look", lambda txn: txn.one("SHOW SESSION STATUS LIKE 'Ssl_version'"))
        assert cipher is not None
        assert cipher[1].startswith("TLS")

    async def test_what_is_wrong_is_said_in_a_line(
        self, own_tls_mariadb: MariaDb, mariadb: MariaDb, open_database: OpenDatabase, tmp_path: Path
    ) -> None:
        other = tmp_path / "other"
        other.mkdir()
        write_certificate(other)
        ca = own_tls_mariadb.certificate
        wrong_ca = await self.fails(open_database, self.url(own_tls_mariadb, other / "cert.pem"))
        assert wrong_ca.startswith(f"the server's certificate does not pass ssl_ca {other}/cert.pem: ")
        wrong_name = await self.fails(open_database, self.url(own_tls_mariadb, ca, "localhost"))
        assert wrong_name == "the server's certificate is for another host: name the server as the certificate does"
        no_tls = await self.fails(open_database, self.url(mariadb, ca))
        assert no_tls == (
            "the server speaks no TLS, which ssl_ca demands: set ssl_cert and ssl_key of the server, or remove ssl_ca"
        )
        no_file = await self.fails(open_database, self.url(own_tls_mariadb, tmp_path / "none.pem"))
        assert no_file == f"ssl_ca={tmp_path}/none.pem holds no certificate: No such file or directory"
        (tmp_path / "text.pem").write_text("no certificate")
        assert "text.pem holds no certificate: " in await self.fails(
            open_database, self.url(own_tls_mariadb, tmp_path / "text.pem")
        )
