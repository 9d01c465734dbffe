"""Makes the health checks that are due, each in a turn of the reactor of its own."""

from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from lars.agent.health.check import Check, Outcome
from lars.agent.health.checks import CheckedHost, HealthChecks
from lars.agent.module import Module
from lars.route import HostAddress
from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_UNDER_WAY = 256
"""Checks at once, each of which is an open file: with a long timeout, hosts that hang take no more than that."""

Probe = Callable[[Check, HostAddress], Deferred[Outcome]]


class HealthChecker:
    """Drives HealthChecks.

    Args:
        checks: what is to be checked, and what follows.
        probe: makes one check.
        clock: the reactor, or a Clock in tests.
    """

    def __init__(self, checks: HealthChecks, probe: Probe, clock: IReactorTime) -> None:
        self._checks = checks
        self._probe = probe
        self._clock = clock
        self._limit = LogLimit(clock.seconds)
        self._under_way: set[Deferred[None]] = set()
        self._next: IDelayedCall | None = None
        self._stopped = False

    def look(self, modules: Iterable[Module]) -> None:
        """Looks which hosts of some modules are to be checked; called about once a second."""
        self._checks.look(modules, self._clock.seconds())
        self._arm()

    def stop(self) -> Deferred[list[tuple[bool, None]]]:
        """Makes no further check; fires when those under way have ended."""
        self._stopped = True
        if self._next is not None:
            self._next.cancel()
            self._next = None
        under_way = list(self._under_way)
        ended = DeferredList(under_way)
        for checking in under_way:
            checking.cancel()
        return ended

    def _arm(self) -> None:
        """Sees to it that `_due` runs when the next check is due."""
        at = self._checks.next_at()
        if self._stopped or at == float("inf") or len(self._under_way) >= MAX_UNDER_WAY:
            return
        seconds = max(0.0, at - self._clock.seconds())
        if self._next is None:
            self._next = self._clock.callLater(seconds, self._due)
        elif self._next.getTime() > at:
            self._next.reset(seconds)

    def _due(self) -> None:
        self._next = None
        checked = self._checks.take_due(self._clock.seconds())
        if checked is not None:
            self._start(checked)
        self._arm()

    def _start(self, checked: CheckedHost) -> None:
        checking = self._probe(checked.watch.check, checked.target).addCallbacks(
            lambda outcome: self._checks.ended(checked, outcome, self._clock.seconds()),
            self._failed,
            errbackArgs=(checked,),
        )
        self._under_way.add(checking)
        checking.addBoth(self._ended, checking)

    def _failed(self, failure: Failure, checked: CheckedHost) -> None:
        if self._stopped:  # it was cancelled
            return
        self._checks.ended(checked, Outcome("error", "the check failed"), self._clock.seconds())
        if self._limit.admit(failure.type):
            _log.failure("the health check of {host} failed", failure, host=checked.host.address)

    def _ended(self, result: object, checking: Deferred[None]) -> None:
        self._under_way.discard(checking)
        if isinstance(result, Failure):  # a bug in what follows from a check
            _log.failure("health checks", result)
        self._arm()
