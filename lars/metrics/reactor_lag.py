"""How late the reactor's turns are: the least that anything in this process waits for."""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from twisted.internet.interfaces import IDelayedCall, IReactorTime

INTERVAL = 0.02
"""Seconds between two measurements."""

BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds of the histogram, in seconds; the last bucket has none."""

WINDOW = 60.0
"""Seconds that the largest lag is remembered, so that each of several scrapers sees it."""


class LagRecord:
    """A histogram of lags, and the largest lag of the last WINDOW seconds."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0
        self._largest: deque[tuple[float, float]] = deque()  # (when, lag): each less than the one before it

    def observe(self, lag: float, now: float) -> None:
        """Adds one turn that came `lag` seconds late."""
        self.counts[bisect_left(BOUNDS, lag)] += 1
        self.sum += lag
        while self._largest and self._largest[-1][1] <= lag:
            self._largest.pop()
        self._largest.append((now, lag))
        self._forget(now)

    def largest(self, now: float) -> float:
        """The largest lag of the last WINDOW seconds; 0 if there was none."""
        self._forget(now)
        return self._largest[0][1] if self._largest else 0.0

    def _forget(self, now: float) -> None:
        while self._largest and now - self._largest[0][0] > WINDOW:
            self._largest.popleft()


class ReactorLag:
    """Measures the lag of a clock from `start` to `stop`, and collects it for Prometheus."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._record = LagRecord()
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Starts measuring, every INTERVAL seconds."""
        self._wait()

    def stop(self) -> None:
        """Stops measuring; what was measured is kept."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _wait(self) -> None:
        # Not a Periodic, which does not say when a call was due.
        self._due = self._clock.seconds() + INTERVAL
        self._call = self._clock.callLater(INTERVAL, self._turn)

    def _turn(self) -> None:
        now = self._clock.seconds()
        self._record.observe(max(0.0, now - self._due), now)
        self._wait()

    def collect(self) -> Iterator[Metric]:
        """The histogram lars_reactor_lag_seconds and the gauge lars_reactor_lag_max_seconds."""
        below, buckets = 0, []
        for bound, count in zip((*map(str, BOUNDS), "+Inf"), self._record.counts, strict=True):
            below += count
            buckets.append((bound, float(below)))
        yield HistogramMetricFamily(
            "lars_reactor_lag_seconds",
            f"How late the reactor's turns were, measured every {INTERVAL * 1000:g} ms.",
            buckets,
            self._record.sum,
        )
        yield GaugeMetricFamily(
            "lars_reactor_lag_max_seconds",
            f"The latest turn of the last {WINDOW:g} s.",
            self._record.largest(self._clock.seconds()),
        )
