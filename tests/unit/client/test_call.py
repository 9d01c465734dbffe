"""What a call context reports."""

import asyncio

from twisted.trial.unittest import SynchronousTestCase

from lars.client import AgentUnavailable, Host
from lars.client.call import AsyncCall, Call, Failures
from lars.client.errors import InvalidArgument
from lars.route import ModuleId, parse_host

HOST = Host(ModuleId(1, 1), parse_host("10.0.0.5:8080"))


class CallTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reported: list[tuple[Host, int]] = []

    def report(self, host: Host, retcode: int, cost: float) -> None:
        self.assertGreaterEqual(cost, 0.0)
        self.reported.append((host, retcode))

    def end(self, error: BaseException | None, failures: Failures) -> None:
        """A call that ends with this."""
        raise NotImplementedError

    def outcomes(self) -> None:
        for error, failures, expected in (
            (None, Exception, [(HOST, 0)]),
            (ValueError(), Exception, [(HOST, 1)]),
            (ValueError(), OSError, []),
            (ConnectionRefusedError(), (OSError, ValueError), [(HOST, 1)]),
            (KeyboardInterrupt(), Exception, []),
            (asyncio.CancelledError(), Exception, []),
            (ValueError("host"), lambda error: str(error) == "host", [(HOST, 1)]),
            (ValueError("caller"), lambda error: str(error) == "host", []),
            (KeyboardInterrupt(), lambda _error: True, []),
            (None, lambda _error: True, [(HOST, 0)]),
        ):
            self.reported.clear()
            if error is None:
                self.end(None, failures)
            else:
                self.assertRaises(type(error), self.end, error, failures)
            self.assertEqual(self.reported, expected, error)


class CallTests(CallTestCase):
    def end(self, error: BaseException | None, failures: Failures) -> None:
        with Call(lambda: HOST, self.report, failures) as host:
            self.assertEqual(host, HOST)
            if error is not None:
                raise error

    def test_success_and_failures_are_reported_and_nothing_else(self) -> None:
        self.outcomes()

    def test_call_marked_as_failed_is_reported_as_failed(self) -> None:
        call = Call(lambda: HOST, self.report, OSError)
        with call:
            call.fail()
        with call:
            call.fail(7)
        with call:
            pass

        def raising() -> None:
            with call:
                call.fail(8)
                raise OSError

        self.assertRaises(OSError, raising)
        self.assertEqual(self.reported, [(HOST, 1), (HOST, 7), (HOST, 0), (HOST, 8)])

    def test_what_is_no_failure_cannot_be_marked(self) -> None:
        for retcode in (0, True, "1", None):
            with Call(lambda: HOST, self.report, Exception) as _host:
                call = Call(lambda: HOST, self.report, Exception)
                with self.assertRaisesRegex(InvalidArgument, "none of a failure"):
                    call.fail(retcode)  # type: ignore[arg-type]

    def test_report_that_fails_does_not_hide_the_outcome_of_the_call(self) -> None:
        def unavailable(_host: Host, _retcode: int, _cost: float) -> None:
            raise AgentUnavailable

        with self.assertRaises(ValueError), Call(lambda: HOST, unavailable, Exception):
            raise ValueError


class AsyncCallTests(CallTestCase):
    def end(self, error: BaseException | None, failures: Failures) -> None:
        async def get_host() -> Host:
            return HOST

        async def call() -> None:
            async with AsyncCall(get_host, self.report, failures) as host:
                self.assertEqual(host, HOST)
                if error is not None:
                    raise error

        try:
            call().send(None)
        except StopIteration:
            return

    def test_success_and_failures_are_reported_and_nothing_else(self) -> None:
        self.outcomes()

    def test_call_marked_as_failed_is_reported_as_failed(self) -> None:
        async def get_host() -> Host:
            return HOST

        async def main() -> None:
            call = AsyncCall(get_host, self.report, Exception)
            async with call:
                call.fail(9)

        self.assertRaises(StopIteration, main().send, None)
        self.assertEqual(self.reported, [(HOST, 9)])
