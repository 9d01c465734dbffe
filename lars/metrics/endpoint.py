"""The HTTP endpoint with a service's metrics and health, which all services share."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger

from lars.metrics.pages import Pages
from lars.metrics.reactor_lag import ReactorLag
from lars.metrics.site import MetricsSite
from lars.runtime.listening import listen, stop_listening
from lars.runtime.reactor import IReactor

_log = Logger()

LIFETIME = 10.0
"""Seconds for a client to send its request and take the answer; Prometheus gives up after as many by default."""


class MetricsEndpoint:
    """/metrics, /healthz and /readyz of one service. While it is open, the reactor's lag is measured.

    Args:
        reactor: the reactor that listens.
        place: a Twisted endpoint string; empty: `start` and `stop` do nothing.
        registry: the service's own, from `new_registry`.
        not_ready: gives why the service cannot do its work now, empty when it can.
        lifetime: seconds after which a connection is cut, whatever it does.
    """

    def __init__(
        self,
        reactor: IReactor,
        place: str,
        registry: CollectorRegistry,
        not_ready: Callable[[], str],
        lifetime: float = LIFETIME,
    ) -> None:
        self._reactor = reactor
        self._place = place
        self._registry = registry
        self._site = MetricsSite(reactor, Pages(registry, not_ready), lifetime)
        self._lag = ReactorLag(reactor)
        self.port: IListeningPort | None = None

    async def start(self) -> None:
        """Opens it; to be called before what `not_ready` waits for. Raises CannotListen."""
        if not self._place:
            return
        self.port = await listen(self._reactor, self._place, self._site)
        self._registry.register(self._lag)
        self._lag.start()
        _log.info("metrics and health are served on {place}", place=self._place)

    async def stop(self) -> None:
        """Closes it and every connection to it, whether it was opened or not."""
        port, self.port = self.port, None
        if port is None:
            return
        self._lag.stop()
        self._registry.unregister(self._lag)
        await stop_listening(port)
        await self._site.drop_all()
