"""When the certificates of a service end, as a metric."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.metrics.registry import labelled_gauge
from lars.runtime.tls import Tls


class CertificateMetrics(Collector):
    """Seconds until the certificates of a service end; `tls` is None where it has none."""

    def __init__(self, tls: Tls | None) -> None:
        self._tls = tls

    def collect(self) -> Iterator[Metric]:
        if self._tls is not None:
            yield self._family(self._tls)

    def _family(self, tls: Tls) -> GaugeMetricFamily:
        help = "Seconds until the certificate of a setting ends; negative once it has"
        return labelled_gauge("lars_certificate_expiry_seconds", help, "setting", tls.seconds_left())
