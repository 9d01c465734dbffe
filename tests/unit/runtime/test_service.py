"""A service of two coroutines: it starts, stops also in the middle of a start, and ends the process when it cannot."""

import atexit
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import LarsError
from lars.runtime import service as module
from lars.runtime.reactor import IReactor
from lars.runtime.service import AsyncService


class Reactor(MemoryReactorClock):
    """Runs what waits for the start at once, and remembers that it was stopped."""

    stopped = False

    def callWhenRunning(self, call: object) -> None:  # type: ignore[override]
        call()  # type: ignore[operator]

    def stop(self) -> None:
        self.stopped = True


class Service(AsyncService):
    name = "lars-test"

    def __init__(self, reactor: Reactor) -> None:
        super().__init__(cast(IReactor, reactor))
        self.waits_for: Deferred[None] = Deferred()
        self.steps: list[str] = []

    async def start(self) -> None:
        self.steps.append("starting")
        await self.waits_for
        self.steps.append("started")

    async def stop(self) -> None:
        self.steps.append("stopped")


class AsyncServiceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = Reactor()
        self.service = Service(self.reactor)
        self.addCleanup(atexit.unregister, module._exit_1)

    def test_it_starts_and_stops(self) -> None:
        self.service.startService()
        self.service.waits_for.callback(None)
        self.successResultOf(self.service.stopService())
        self.assertEqual(self.service.steps, ["starting", "started", "stopped"])
        self.assertFalse(self.reactor.stopped)

    def test_stop_cancels_a_start_that_is_under_way(self) -> None:
        self.service.startService()
        with capturedLogs() as events:
            self.successResultOf(self.service.stopService())
        self.assertEqual((self.service.steps, list(events)), (["starting", "stopped"], []))

    def test_error_of_a_start_is_one_line_and_the_end_of_the_process(self) -> None:
        self.service.startService()
        with capturedLogs() as events:
            self.service.waits_for.errback(LarsError("no database: start it"))
        self.assertEqual([event["reason"] for event in events], ["lars-test: no database: start it"])
        self.assertTrue(self.reactor.stopped)

    def test_bug_in_a_start_keeps_its_traceback(self) -> None:
        self.service.startService()
        self.service.waits_for.errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertTrue(self.reactor.stopped)
