"""A fault of the database: logged on change, and retried with exponential backoff."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_BACKOFF = 10.0
"""Seconds between two attempts at most, while the database fails."""


class DatabaseFaults:
    """The fault of a database, if there is one, and the time of the next attempt.

    Args:
        clock: the reactor, or a Clock in tests.
        first_delay: seconds before the first retry; each further failure doubles it, up to MAX_BACKOFF.
        fallback: says what the service does while the fault lasts, for the log.
    """

    def __init__(self, clock: IReactorTime, first_delay: float, fallback: Callable[[], str]) -> None:
        self._first_delay = first_delay
        self._fallback = fallback
        self._limit = LogLimit(clock.seconds)
        self._in_a_row = 0
        self._try_at = 0.0
        self.count = 0
        """Failures so far."""
        self.text = ""
        """The current fault; empty if there is none."""

    def may_try(self, now: float) -> bool:
        """Whether it is time for the next attempt."""
        return now >= self._try_at

    def failed(self, text: str, now: float) -> bool:
        """A query failed; returns whether that was logged."""
        self.count += 1
        self._in_a_row += 1
        self._try_at = now + min(MAX_BACKOFF, self._first_delay * 2 ** min(self._in_a_row - 1, 10))
        if text != self.text:
            self._limit.clear(self.text)
        self.text = text
        is_logged = bool(self._limit.admit(text))
        if is_logged:
            _log.warn("{text}; {fallback}, trying again", text=text, fallback=self._fallback())
        return is_logged

    def worked(self) -> None:
        """A query succeeded."""
        if self.text:
            _log.info("the database answers again")
            self._limit.clear(self.text)
        self.text = ""
        self._in_a_row = 0
        self._try_at = 0.0
