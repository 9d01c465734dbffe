"""/metrics, /healthz and /readyz: from a method, a path and an Accept header to an answer. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response: status, body, and the headers that are not those of the transport."""

    status: int
    body: bytes
    content_type: str = PLAIN
    allow: str = ""
    """The methods that would have been answered; empty unless another one was used."""


NOT_FOUND = Answer(404, b"not here; see /metrics, /healthz and /readyz\n")
NOT_ALLOWED = Answer(405, b"only GET and HEAD are answered\n", allow="GET, HEAD")


class Pages:
    """A service's metrics and health.

    Args:
        registry: what /metrics shows.
        not_ready: gives why the service cannot do its work now, empty when it can.
    """

    def __init__(self, registry: CollectorRegistry, not_ready: Callable[[], str]) -> None:
        self._registry = registry
        self._not_ready = not_ready
        self._pages: dict[bytes, Callable[[str], Answer]] = {
            b"/metrics": self._metrics,
            b"/healthz": self._healthz,
            b"/readyz": self._readyz,
        }

    def answer(self, method: bytes, path: bytes, accept: str) -> Answer:
        """What to answer; an answer to HEAD has the body of GET, for its length."""
        page = self._pages.get(path)
        if page is None:
            return NOT_FOUND
        if method not in (b"GET", b"HEAD"):
            return NOT_ALLOWED
        return page(accept)

    def _metrics(self, accept: str) -> Answer:
        try:
            encode, content_type = choose_encoder(accept)
        except (TypeError, ValueError):  # it compares a version that is no number with one that is
            encode, content_type = choose_encoder("")
        return Answer(200, encode(self._registry), content_type)

    def _healthz(self, _accept: str) -> Answer:
        return Answer(200, b"ok\n")

    def _readyz(self, _accept: str) -> Answer:
        reason = " ".join(self._not_ready().split())
        return Answer(503, f"{reason}\n".encode()) if reason else Answer(200, b"ready\n")
