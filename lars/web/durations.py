"""How long requests take, from the last byte of the request to the last of the answer, by area of the console."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Histogram

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Upper bounds in seconds: those that Prometheus' clients have for requests."""

STATIC = "static"
LIVE = "live"
OTHER = "overview"
"""The areas without a set of pages of their own: the console's files, its live streams, and all other paths."""


class RequestDurations:
    """The histogram lars_web_request_duration_seconds. A live stream, which lasts while a page is open, is left out.

    Args:
        registry: where it is registered.
        areas: the first parts of paths that are told apart; whatever else is asked for is one area, so that no client
            makes time series.
    """

    def __init__(self, registry: CollectorRegistry, areas: Iterable[str]) -> None:
        histogram = Histogram(
            "lars_web_request_duration_seconds",
            "From the last byte of a request to the last of its answer, by area; without live streams",
            labelnames=["area"],
            registry=registry,
            buckets=BUCKETS,
        )
        self._of = {area: histogram.labels(area) for area in (*areas, STATIC, OTHER)}

    def answered(self, path: bytes, seconds: float) -> None:
        """Counts an answer to a path, which has no query."""
        area = area_of(path)
        if area != LIVE:
            self._of.get(area, self._of[OTHER]).observe(seconds)


def area_of(path: bytes) -> str:
    """The first part of a path."""
    return b"".join(path.split(b"/")[1:2]).decode("ascii", "replace")
