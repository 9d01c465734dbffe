"""The call context: a host for a with block, whose result is reported (docs/design/client.md, call contexts)."""

import time
from collections.abc import Awaitable, Callable
from types import TracebackType

from lars.client.errors import AgentUnavailable
from lars.client.host import Host

Failures = type[Exception] | tuple[type[Exception], ...]
"""The exceptions that count as a failure of the host."""

Report = Callable[[Host, int, float], None]
GetHost = Callable[[], Host]
AwaitHost = Callable[[], Awaitable[Host]]


class Timed:
    """One call to a host: measures its time and reports its result.

    An exception of `failures` is a failure of the host. Any other (also KeyboardInterrupt and asyncio.CancelledError)
    is not, and nothing is reported.
    """

    __slots__ = ("_began", "_report", "failed", "failures", "host")

    def __init__(self, report: Report, failures: Failures) -> None:
        self._report = report
        self.failures = failures
        self.failed = False

    def begin(self, host: Host) -> Host:
        """Starts the clock; returns the host."""
        self.host = host
        self._began = time.monotonic()
        return host

    def end(self, kind: type[BaseException] | None) -> None:
        """Reports the call, which ended with an exception of this type or, for None, without one."""
        cost = time.monotonic() - self._began
        if kind is None:
            self._send(0, cost)
        elif issubclass(kind, self.failures):
            self.failed = True
            self._send(1, cost)

    def _send(self, retcode: int, cost: float) -> None:
        try:
            self._report(self.host, retcode, cost)
        except AgentUnavailable:
            return  # the caller must see the outcome of its own call


class Call:
    """`with client.call(1, 1) as host:`"""

    __slots__ = ("_get_host", "_timed")

    def __init__(self, get_host: GetHost, report: Report, failures: Failures) -> None:
        self._get_host = get_host
        self._timed = Timed(report, failures)

    def __enter__(self) -> Host:
        return self._timed.begin(self._get_host())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timed.end(kind)


class AsyncCall:
    """`async with client.call(1, 1) as host:`"""

    __slots__ = ("_get_host", "_timed")

    def __init__(self, get_host: AwaitHost, report: Report, failures: Failures) -> None:
        self._get_host = get_host
        self._timed = Timed(report, failures)

    async def __aenter__(self) -> Host:
        return self._timed.begin(await self._get_host())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._timed.end(kind)
