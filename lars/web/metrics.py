"""The metrics of lars-web, read at the scrape."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.db.clock import DatabaseClock
from lars.metrics.registry import labelled_counter
from lars.web.drains import DrainTimer
from lars.web.live.live import Live
from lars.web.registry.registrar import Registrar
from lars.web.site import WebSite


class WebMetrics(Collector):
    """Counters and gauges of one lars-web."""

    def __init__(
        self, site: WebSite, live: Live, registrar: Registrar, drains: DrainTimer, clock: DatabaseClock
    ) -> None:
        self._site = site
        self._live = live
        self._registrar = registrar
        self._drains = drains
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        site, registrar = self._site, self._registrar
        answers = {f"{digit}xx": site.answered.get(digit, 0) for digit in range(1, 6)}
        yield labelled_counter("lars_web_answers", "Requests answered, by the code's first digit", "code", answers)
        yield GaugeMetricFamily("lars_web_connections", "Connections open", site.open)
        yield CounterMetricFamily("lars_web_refused_connections", "Closed because too many were open", site.refused)
        yield CounterMetricFamily("lars_web_displaced_connections", "Closed to give others their place", site.displaced)
        yield CounterMetricFamily("lars_web_late_connections", "Closed: a request did not come in time", site.late)
        yield CounterMetricFamily(
            "lars_web_forged_users",
            "Requests refused: they named a user, and no trusted proxy sent them",
            site.forged_users,
        )
        yield GaugeMetricFamily("lars_web_body_bytes", "Bytes of request bodies kept now", site.held)
        yield GaugeMetricFamily("lars_web_streams", "Browsers with a live stream", self._live.streams)
        yield CounterMetricFamily("lars_web_registrations", "Hosts that registered or changed", registrar.registrations)
        yield CounterMetricFamily("lars_web_renewals", "Leases renewed", registrar.renewals)
        yield CounterMetricFamily("lars_web_expired", "Hosts removed because they no longer renewed", registrar.expired)
        yield CounterMetricFamily(
            "lars_web_ended_drains", "Hosts that take calls again because their drain was over", self._drains.ended
        )
        yield GaugeMetricFamily("lars_web_kept", "Silent hosts kept in their routes", registrar.kept)
        yield GaugeMetricFamily(
            "lars_web_clock_skew_seconds", "How far this machine's clock is ahead of the database's", self._clock.skew
        )
