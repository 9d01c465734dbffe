"""Trying another host after a failure: the attempts of `client.retrying`."""

import random
from collections.abc import Awaitable, Callable, Iterator, Sequence
from types import TracebackType

from lars.client.call import AwaitHost, Failures, GetHost, Report, Timed
from lars.client.host import Host
from lars.errors import SettingsError

DEFAULT_ATTEMPTS = 3
"""Default: hosts to try before giving up."""


class Retrying:
    """The attempts of one `retrying`: which hosts were tried, and whether another attempt follows.

    Raises SettingsError if `attempts` is less than 1.
    """

    def __init__(self, report: Report, attempts: int, failures: Failures) -> None:
        if attempts < 1:
            raise SettingsError(f"attempts {attempts} is out of range: give 1 or more")
        self._report = report
        self._attempts = attempts
        self._failures = failures
        self._tried: set[Host] = set()

    def queries(self) -> int:
        """How often to ask for a host: the agent takes turns, so that this many answers include an untried one."""
        return len(self._tried) + 1

    def is_new(self, host: Host) -> bool:
        """Whether the host has not been tried."""
        return host not in self._tried

    def untried(self, route: Sequence[Host]) -> Host | None:
        """A random untried host of the route: callers in lockstep may have got the turns of all others."""
        others = [host for host in route if self.is_new(host)]
        return random.choice(others) if others else None

    def begin(self, timed: Timed, host: Host) -> Host:
        """Starts an attempt with this host."""
        self._tried.add(host)
        return timed.begin(host)

    def timed(self) -> Iterator[tuple[Timed, bool]]:
        """Each attempt, and whether it is the last, until one ends without a failure of its host."""
        for number in range(1, self._attempts + 1):
            timed = Timed(self._report, self._failures)
            yield timed, number == self._attempts
            if not timed.failed:
                return


class Attempt:
    """`with attempt as host:`; suppresses a failure of the host, except in the last attempt."""

    __slots__ = ("_get_host", "_get_route", "_last", "_retrying", "_timed")

    def __init__(
        self, get_host: GetHost, get_route: Callable[[], list[Host]], retrying: Retrying, timed: Timed, last: bool
    ) -> None:
        self._get_host = get_host
        self._get_route = get_route
        self._retrying = retrying
        self._timed = timed
        self._last = last

    def fail(self, retcode: int = 1) -> None:
        """Reports the attempt as failed, although no exception ends the block; another one follows, if any is left."""
        self._timed.fail(retcode)

    def __enter__(self) -> Host:
        for _ in range(self._retrying.queries()):
            host = self._get_host()
            if self._retrying.is_new(host):
                break
        else:
            host = self._retrying.untried(self._get_route()) or host
        return self._retrying.begin(self._timed, host)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timed.end(error)
        return error is not None and self._timed.failed and not self._last


class AsyncAttempt:
    """`async with attempt as host:`; suppresses a failure of the host, except in the last attempt."""

    __slots__ = ("_get_host", "_get_route", "_last", "_retrying", "_timed")

    def __init__(
        self,
        get_host: AwaitHost,
        get_route: Callable[[], Awaitable[list[Host]]],
        retrying: Retrying,
        timed: Timed,
        last: bool,
    ) -> None:
        self._get_host = get_host
        self._get_route = get_route
        self._retrying = retrying
        self._timed = timed
        self._last = last

    def fail(self, retcode: int = 1) -> None:
        """Reports the attempt as failed, although no exception ends the block; another one follows, if any is left."""
        self._timed.fail(retcode)

    async def __aenter__(self) -> Host:
        for _ in range(self._retrying.queries()):
            host = await self._get_host()
            if self._retrying.is_new(host):
                break
        else:
            host = self._retrying.untried(await self._get_route()) or host
        return self._retrying.begin(self._timed, host)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timed.end(error)
        return error is not None and self._timed.failed and not self._last
