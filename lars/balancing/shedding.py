"""Load shedding: a share of the calls is refused while most calls fail by being slow, and let in again in steps.

The steps down and up are those of additive-increase controls such as Netflix's concurrency-limits, on the share of
calls that is admitted (docs/design/balancing.md, shedding).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheddingSettings:
    """Numbers of the shedding rules; shares are of calls.

    Attributes:
        min_calls: calls below which an interval decides nothing.
        failing, slow: shares of failed, and of slow failed calls, above which less is admitted.
        well: share of failed calls below which more is admitted.
        down, up, fast: factors of one step down, up, and up while that is known to be safe.
        keep: the share of what was admitted that is safe once the trouble is over.
        floor: the least share that is admitted.
        fresh: latencies up to so many times the usual are safe.
    """

    min_calls: int = 8
    failing: float = 0.5
    slow: float = 0.2
    well: float = 0.1
    down: float = 0.7
    up: float = 1.05
    fast: float = 1.5
    keep: float = 0.5
    floor: float = 0.1
    fresh: float = 2.0


class Shedding:
    """The share of calls that is admitted. `interval` is called about once a second."""

    __slots__ = ("_calls", "_failed", "_falling", "_safe", "_settings", "_slow", "admitted")

    def __init__(self, settings: SheddingSettings) -> None:
        self._settings = settings
        self._calls = self._failed = self._slow = 0
        self._safe = 1.0
        self._falling = False
        self.admitted = 1.0
        """The share of calls that is let in, `floor` to 1."""

    def failed(self, slow: bool) -> None:
        """Counts a failed call; `slow` says that it failed by being slow."""
        self._calls += 1
        self._failed += 1
        self._slow += slow

    def interval(self, succeeded: int, recent: float, usual: float) -> None:
        """Decides for the next interval from the results of this one.

        Args:
            succeeded: successful calls since the last interval.
            recent: seconds that calls take now.
            usual: seconds that they usually take.
        """
        self._calls += succeeded
        settings, calls = self._settings, self._calls
        if (
            calls >= settings.min_calls
            and self._failed > settings.failing * calls
            and self._slow > settings.slow * calls
        ):
            if not self._falling:
                self._safe, self._falling = settings.keep * self.admitted, True
            self.admitted = max(settings.floor, self.admitted * settings.down)
        elif calls and self.admitted < 1 and self._failed < settings.well * calls:
            is_safe = self.admitted < self._safe or recent < settings.fresh * usual
            self.admitted = min(1.0, self.admitted * (settings.fast if is_safe else settings.up))
            self._falling = False
        elif calls < settings.min_calls:
            return  # too few to decide: they count for the next interval
        self._calls = self._failed = self._slow = 0
