"""The call context: a host for a with block, whose result is reported (docs/design/client.md, call contexts)."""

import time
from collections.abc import Awaitable, Callable
from types import TracebackType

from lars.client.errors import AgentUnavailable, InvalidArgument
from lars.client.host import Host

Failures = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]
"""The exceptions that count as a failure of the host: their types, or a function that says so of an exception."""

Report = Callable[[Host, int, float], None]
GetHost = Callable[[], Host]
AwaitHost = Callable[[], Awaitable[Host]]


Observed = Callable[[bool, float, BaseException | None], None]
"""Called when a call ends: whether its host failed, the seconds that it took, and the exception that ended it."""

Observer = Callable[[Host], Observed]
"""Called when a call to a host begins."""

_observer: Observer | None = None


def observe(observer: Observer | None) -> None:
    """From now on every call of this process is observed; None ends that. There is one observer."""
    global _observer
    _observer = observer


class Timed:
    """One call to a host: measures its time and reports its result.

    An exception of `failures` is a failure of the host, and so is a call for which `fail` was called. Any other
    exception (also KeyboardInterrupt and asyncio.CancelledError) is not, and nothing is reported.
    """

    __slots__ = ("_began", "_cost", "_observed", "_report", "_retcode", "failed", "failures", "host")

    def __init__(self, report: Report, failures: Failures) -> None:
        self._report = report
        self.failures = failures
        self.failed = False
        self._retcode = 0
        self._cost: float | None = None
        self._observed: Observed | None = None

    def begin(self, host: Host) -> Host:
        """Starts the clock; returns the host."""
        self.host = host
        self.failed = False
        self._retcode = 0
        if _observer is not None:
            self._observed = _observer(host)
        self._began = time.monotonic()
        return host

    def stop(self) -> None:
        """Stops the clock: what comes until the end is not counted in the time of the call."""
        self._cost = time.monotonic() - self._began

    def fail(self, retcode: int) -> None:
        """The call will be reported as failed, if it ends without an exception."""
        if isinstance(retcode, bool) or not isinstance(retcode, int) or not retcode:
            raise InvalidArgument(f"retcode {retcode!r} is none of a failure: give a whole number other than 0")
        self._retcode = retcode

    def end(self, error: BaseException | None) -> None:
        """Reports the call, which ended with this exception or, for None, without one."""
        cost = time.monotonic() - self._began if self._cost is None else self._cost
        if error is None:
            self.failed = self._retcode != 0
            self._send(self._retcode, cost)
        elif self._is_failure(error):
            self.failed = True
            self._send(self._retcode or 1, cost)
        if self._observed is not None:
            self._observed(self.failed, cost, error)

    def _is_failure(self, error: BaseException) -> bool:
        if isinstance(self.failures, type | tuple):
            return isinstance(error, self.failures)
        return isinstance(error, Exception) and bool(self.failures(error))

    def _send(self, retcode: int, cost: float) -> None:
        try:
            self._report(self.host, retcode, cost)
        except AgentUnavailable:
            return  # the caller must see the outcome of its own call


class Call:
    """`call = client.call(1, 1)`, and `with call as host:`; or `with client.call(1, 1) as host:`."""

    __slots__ = ("_get_host", "_timed")

    def __init__(self, get_host: GetHost, report: Report, failures: Failures) -> None:
        self._get_host = get_host
        self._timed = Timed(report, failures)

    def fail(self, retcode: int = 1) -> None:
        """Reports the call as failed, although no exception ends the block; `retcode` is any number but 0."""
        self._timed.fail(retcode)

    def __enter__(self) -> Host:
        return self._timed.begin(self._get_host())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timed.end(error)


class AsyncCall:
    """`call = client.call(1, 1)`, and `async with call as host:`; or `async with client.call(1, 1) as host:`."""

    __slots__ = ("_get_host", "_timed")

    def __init__(self, get_host: AwaitHost, report: Report, failures: Failures) -> None:
        self._get_host = get_host
        self._timed = Timed(report, failures)

    def fail(self, retcode: int = 1) -> None:
        """Reports the call as failed, although no exception ends the block; `retcode` is any number but 0."""
        self._timed.fail(retcode)

    async def __aenter__(self) -> Host:
        return self._timed.begin(await self._get_host())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timed.end(error)
