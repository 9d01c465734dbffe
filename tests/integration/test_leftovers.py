"""The check that every integration test is under finds what it is there for."""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.protocol import Factory
from twisted.logger import Logger

from lars.db.database import Database
from lars.db.engine import Row, Transaction
from tests.integration.leftovers import LoggedErrors, ReactorContents

_log = Logger()


def test_errors_that_were_not_taken_remain(logged_errors: LoggedErrors) -> None:
    _log.error("the {thing} broke", thing="lamp")
    _log.error("the {thing} broke", thing="vase")
    _log.warn("warnings are no errors")
    assert logged_errors.take("lamp") == ["the lamp broke"]
    assert logged_errors.take() == ["the vase broke"]
    assert logged_errors.take() == []


def test_an_exception_is_found_by_its_text(logged_errors: LoggedErrors) -> None:
    try:
        raise KeyError("the bug")
    except KeyError:
        _log.failure("while testing")
    [told] = logged_errors.take("KeyError")
    assert "the bug" in told


def test_a_deferred_whose_error_nobody_took_is_an_error(logged_errors: LoggedErrors) -> None:
    fail(KeyError("lost"))
    assert "lost" in "".join(logged_errors.take())


def test_a_call_left_in_the_reactor_is_found(reactor: Any) -> None:
    contents = ReactorContents(reactor)
    call = reactor.callLater(60, print)
    assert len(contents.added()) == 1
    call.cancel()
    assert contents.added() == []


async def test_a_port_left_open_is_found(reactor: Any) -> None:
    contents = ReactorContents(reactor)
    port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    assert str(port.getHost().port) in (await contents.settled(0.05))[0]
    await port.stopListening()
    assert await contents.settled() == []


async def test_a_database_left_open_is_found(
    reactor: Any, open_database: Callable[[str], Database], sqlite_url: str
) -> None:
    def one(txn: Transaction) -> Row | None:
        return txn.one("SELECT 1")

    contents = ReactorContents(reactor)
    database = open_database(sqlite_url)
    await database.read("look", one)
    assert await contents.settled(0.05)
    database.close()
    assert await contents.settled() == []


async def test_what_ends_soon_is_nothing_left(reactor: Any) -> None:
    contents = ReactorContents(reactor)
    done: Deferred[None] = Deferred()
    reactor.callLater(0.1, done.callback, None)
    assert await contents.settled(5) == []
    await done
