"""Limits failed sign-ins: pure, `now` in seconds of a monotonic clock."""

from collections import OrderedDict

FREE = 5
"""Failures in a row before the first wait."""

FIRST_WAIT = 2.0
LONGEST_WAIT = 300.0
"""Seconds."""

CAPACITY = 10_000
"""Keys that are remembered; the oldest go first."""


class LoginThrottle:
    """Counts failures by key, such as a user at an address; from the fifth on, each doubles the wait."""

    def __init__(self) -> None:
        self._failed: OrderedDict[str, tuple[int, float]] = OrderedDict()  # key -> failures, when the last was

    def wait(self, key: str, now: float) -> float:
        """Seconds until this key may try again; 0 if now."""
        count, last = self._failed.get(key, (0, now))
        if count < FREE:
            return 0.0
        pause = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(count - FREE, 20))
        return max(0.0, last + pause - now)

    def failed(self, key: str, now: float) -> None:
        """An attempt did not succeed. Failures older than the longest wait count no more."""
        count, last = self._failed.pop(key, (0, now))
        self._failed[key] = (1 if now - last > LONGEST_WAIT * 2 else count + 1, now)
        while len(self._failed) > CAPACITY:
            self._failed.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """An attempt succeeded: the count begins again."""
        self._failed.pop(key, None)
