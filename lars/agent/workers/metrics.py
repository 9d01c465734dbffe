"""The metrics of all workers at one endpoint: fetched from each over a Unix socket, labelled with the shard."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor

INTERVAL = 1.0
"""Seconds between two fetches."""

MAX_AGE = 6.0
"""Seconds after which a worker whose metrics cannot be fetched is not ready, and its old ones are no longer shown."""


class _Fetch(Protocol):
    """One GET of /metrics; `text` fires with the body when the worker has closed the connection."""

    def __init__(self) -> None:
        self.text: Deferred[str] = Deferred()
        self._received = bytearray()

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"GET /metrics HTTP/1.0\r\n\r\n")

    def dataReceived(self, data: bytes) -> None:
        self._received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.text.called:
            return  # the fetch has timed out
        head, _blank, body = bytes(self._received).partition(b"\r\n\r\n")
        self.text.callback(body.decode() if b" 200 " in head.partition(b"\r\n")[0] else "")


class _FetchFactory(Factory):
    protocol = _Fetch
    noisy = False


class WorkerMetrics(Collector):
    """The metrics of the workers, as they were at most about INTERVAL ago."""

    def __init__(self, reactor: IReactor) -> None:
        self._reactor = reactor
        self._sockets: Mapping[int, str] = {}
        self._fetched: dict[int, tuple[float, str]] = {}  # shard -> when, what
        self._periodic = Periodic("fetching the workers' metrics", INTERVAL, self._fetch_all, reactor)

    def start(self, sockets: Mapping[int, str]) -> None:
        """Starts fetching from the Unix socket of each shard's worker."""
        self._sockets = sockets
        self._periodic.start()

    async def stop(self) -> None:
        """Fetches no more; returns when the fetch under way has ended."""
        await self._periodic.stop()

    def not_ready(self) -> str:
        """Why not all shards are served: the workers that do not answer; empty when all do."""
        now = self._reactor.seconds()
        silent = [s for s in self._sockets if s not in self._fetched or now - self._fetched[s][0] > MAX_AGE]
        if not self._sockets or silent:
            return f"workers not answering: {', '.join(f'shard-{s}' for s in silent) or 'none is started'}"
        return ""

    async def _fetch_all(self) -> None:
        await gatherResults([Deferred.fromCoroutine(self._fetch(s, path)) for s, path in self._sockets.items()])

    async def _fetch(self, shard: int, path: str) -> None:
        try:
            fetch = await UNIXClientEndpoint(self._reactor, path, timeout=2).connect(_FetchFactory())
            try:
                text = await fetch.text.addTimeout(2, self._reactor)
            finally:
                fetch.transport.abortConnection()
        except Exception:
            return  # it is starting again, or hangs: its metrics grow old, which not_ready shows
        if text:
            self._fetched[shard] = (self._reactor.seconds(), text)

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        now = self._reactor.seconds()
        for shard, (when, text) in sorted(self._fetched.items()):
            if now - when > MAX_AGE:
                continue
            for family in text_string_to_metric_families(text):
                whole = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                whole.samples += [s._replace(labels={"shard": str(shard), **s.labels}) for s in family.samples]
        yield from (f for name, f in families.items() if name.startswith("lars_agent_") or name in _SHARED)


_SHARED = frozenset({"lars_reactor_lag_seconds", "lars_reactor_lag_max_seconds"})
"""Families that the supervisor has as well, and that matter for each worker."""
