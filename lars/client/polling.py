"""When a client asks again for a module whose hosts the agent does not have yet: the same schedule for every client."""

from collections.abc import Callable, Iterator
from time import monotonic

REGISTER_TIMEOUT = 1.0
"""Default of `register`: seconds to wait for a module's first hosts."""

FIRST_WAIT = 1.0
"""Default: seconds for which the first questions about a module wait for its hosts."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.1


def pauses(timeout: float, clock: Callable[[], float] = monotonic) -> Iterator[float]:
    """Seconds to wait before each query; the pauses double, and the last query is sent at `timeout` seconds."""
    deadline = clock() + timeout
    pause = _FIRST_PAUSE
    yield 0.0
    while (left := deadline - clock()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, _LONGEST_PAUSE)
