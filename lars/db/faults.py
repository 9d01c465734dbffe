"""What is wrong with the database, told on change, and when to try again."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.runtime.log_limit import LogLimit

_log = Logger()

MAX_BACKOFF = 10.0
"""Seconds between attempts at most while the database is away."""


class DatabaseFaults:
    """Backs off from a database that fails; `meanwhile` says what is done as long as it does."""

    def __init__(self, clock: IReactorTime, first_delay: float, meanwhile: Callable[[], str]) -> None:
        self._first_delay = first_delay
        self._meanwhile = meanwhile
        self._limit = LogLimit(clock.seconds)
        self._in_a_row = 0
        self._try_at = 0.0
        self.count = 0
        """Failures so far."""
        self.text = ""
        """What is wrong now; empty when nothing is."""

    def may_try(self, now: float) -> bool:
        """Whether it is time to ask the database again."""
        return now >= self._try_at

    def failed(self, text: str, now: float) -> bool:
        """A query failed; whether that was told."""
        self.count += 1
        self._in_a_row += 1
        self._try_at = now + min(MAX_BACKOFF, self._first_delay * 2 ** min(self._in_a_row - 1, 10))
        if text != self.text:
            self._limit.clear(self.text)
        self.text = text
        told = bool(self._limit.tell(text))
        if told:
            _log.warn("{text}; {meanwhile}, trying again", text=text, meanwhile=self._meanwhile())
        return told

    def worked(self) -> None:
        """A query was answered."""
        if self.text:
            _log.info("the database answers again")
            self._limit.clear(self.text)
        self.text = ""
        self._in_a_row = 0
        self._try_at = 0.0
