"""Backup and restore as docs/operations.md has them: agents keep what they know, and then follow what was restored."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.fleet import Commands, Fleet, StartService
from tests.integration.mariadb import PASSWORD, USER, MariaDb

A, B, C = "127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"


class Server:
    """One database of a server, and MariaDB's programs as an operator runs them."""

    def __init__(self, server: MariaDb) -> None:
        self.name = server.new_database()
        self._server = server
        self.url = server.url(self.name)

    def run(self, program: str, *options: str, **files: Any) -> None:
        """Runs mariadb or mariadb-dump on it."""
        where = ["--host=127.0.0.1", f"--port={self._server.port}", f"--user={USER}", f"--password={PASSWORD}"]
        subprocess.run([program, "--no-defaults", *where, *options, self.name], check=True, timeout=60, **files)

    def lose(self) -> None:
        """Loses all that is in it."""
        self._server.query(f"DROP DATABASE {self.name}")

    def make_empty(self) -> None:
        """Makes it anew."""
        self._server.query(f"CREATE DATABASE {self.name} CHARACTER SET utf8mb4")


@pytest.fixture
def server(own_mariadb: MariaDb) -> Server:
    return Server(own_mariadb)


@pytest.fixture
def fleet(reactor: Any, start_service: StartService, server: Server, tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet(reactor, start_service, server.url, tmp_path)
    yield fleet
    fleet.close()


def call(fleet: Fleet, times: int) -> None:
    """Asks for hosts and reports success."""
    for _ in range(times):
        fleet.client.report(fleet.client.get_host(1, 1), retcode=0)


async def test_lost_database_is_restored_and_agents_follow_it(fleet: Fleet, server: Server, tmp_path: Path) -> None:
    await fleet.up()
    fleet.commands.ok("route", "add", "1", "1", A, B)
    await fleet.serves(A, B)
    call(fleet, 10)
    await fleet.counts(10, 0)
    backup = tmp_path / "lars.sql"
    with backup.open("wb") as file:
        server.run("mariadb-dump", "--single-transaction", stdout=file)
    fleet.commands.ok("route", "add", "1", "1", C)
    await fleet.serves(A, B, C)

    server.lose()
    await fleet.dns.stopped()
    await fleet.reporter.stopped()
    call(fleet, 10)
    assert fleet.hosts() == [A, B, C], "the agent answers with what it knows"
    server.make_empty()
    with backup.open("rb") as file:
        server.run("mariadb", stdin=file)
    fleet.commands.ok("db", "init")
    fleet.commands.ok("db", "check")
    fleet.dns.start()
    fleet.reporter.start()

    await fleet.serves(A, B)
    await fleet.counts(20, 0)
    fleet.commands.ok("route", "add", "1", "1", C)
    await fleet.serves(A, B, C)


def test_sqlite_file_is_copied_while_it_is_written(sqlite_url: str, tmp_path: Path) -> None:
    commands = Commands(sqlite_url, "127.0.0.1:1", tmp_path)
    commands.ok("db", "init")
    commands.ok("route", "add", "1", "1", A)
    writer = sqlite3.connect(tmp_path / "lars.db")
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE RouteVersion SET version = version + 1")
    copying = "import sqlite3; sqlite3.connect('lars.db').backup(sqlite3.connect('copy.db'))"
    subprocess.run([sys.executable, "-c", copying], cwd=tmp_path, check=True, timeout=30)
    writer.rollback()
    writer.close()
    copy = Commands(f"sqlite:///{tmp_path}/copy.db", "127.0.0.1:1", tmp_path)
    copy.ok("db", "check")
    assert [(row["ip"], row["port"]) for row in copy.json("route", "list")] == [("127.0.0.1", 9001)]
