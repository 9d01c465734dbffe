"""The tests' own tools: services under twistd and MariaDB servers that are killed, paused and started again."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lars.db.database import Database
from lars.db.engine import Transaction
from tests.integration.conftest import StartService
from tests.integration.mariadb import MariaDb
from tests.integration.processes import ReservedPort, TwistdService
from tests.integration.waiting import until


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


async def test_a_service_can_be_killed_and_started_again_on_the_same_port(
    reactor: Any, start_service: StartService
) -> None:
    with ReservedPort() as port:
        assert not accepts(port.number)
        service = start_service("web", "--listen", f"tcp:{port.number}:interface=127.0.0.1")
        await until(reactor, lambda: accepts(port.number), service.log)
        service.kill()
        assert service.status == -9
        assert not accepts(port.number)
        service.start()
        await service.says("starting on", times=2)
        await until(reactor, lambda: accepts(port.number), service.log)
        await service.stopped()


async def test_a_service_that_ends_by_itself_is_said_to_have(start_service: StartService) -> None:
    service = start_service("no-such-plugin")
    with pytest.raises(AssertionError, match=r"(?s)ended without saying 'ready'.*Unknown command: no-such-plugin"):
        await service.says("ready")


def test_a_traceback_in_a_service_s_log_is_found(reactor: Any, tmp_path: Path) -> None:
    service = TwistdService(reactor, tmp_path, "web")
    assert service.bugs() == ""
    service.log_file.write_text("all well\nTraceback (most recent call last):\n  …\nKeyError: 1\n")
    assert service.bugs().startswith("Traceback")


async def test_a_wait_ends_at_its_deadline_saying_for_what(reactor: Any) -> None:
    with pytest.raises(AssertionError, match=r"waited 0\.05 s for a miracle"):
        await until(reactor, lambda: False, "a miracle", 0.05)


async def test_a_killed_mariadb_keeps_its_port_and_what_was_committed(own_mariadb: MariaDb) -> None:
    name = own_mariadb.new_database()
    own_mariadb.query("CREATE TABLE t (n INT)", database=name)
    own_mariadb.query("INSERT INTO t VALUES (7)", database=name)
    own_mariadb.kill()
    assert not accepts(own_mariadb.port)
    own_mariadb.start()
    await own_mariadb.answers()
    assert own_mariadb.query("SELECT n FROM t", database=name) == [(7,)]
    assert accepts(own_mariadb.port)


async def test_a_paused_mariadb_accepts_and_stays_silent_until_it_is_resumed(
    own_mariadb: MariaDb, open_database: Callable[[str], Database]
) -> None:
    def one(txn: Transaction) -> object:
        return txn.one("SELECT 1")

    database = open_database(own_mariadb.url(own_mariadb.new_database()))
    own_mariadb.pause()
    assert accepts(own_mariadb.port)
    own_mariadb.resume()
    assert await database.read("look", one) == (1,)
