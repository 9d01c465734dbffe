"""A service's own registry: several services live in one process, so none uses prometheus_client's global one.

A service counts in plain integers where things happen, and registers one collector, whose `collect` yields them as
metric families when somebody asks:

    class DnsMetrics:
        def collect(self) -> Iterator[Metric]:
            yield CounterMetricFamily("lars_dns_requests_total", "Routes asked for.", self._factory.requests)
            yield GaugeMetricFamily("lars_dns_modules", "Modules that have hosts.", len(self._table))

Names are those of Prometheus: lars_SERVICE_what, base units (_seconds, _bytes), counters in _total. `collect` is also
called once by `register`, which refuses a name that another collector has.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric

from lars import __version__


class _Build:
    """The metric lars_build_info, always 1, with the service and its version as labels."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "lars_build",
            "The service and its version, as labels; the value is 1.",
            {"service": self._service, "version": __version__},
        )


def new_registry(service: str) -> CollectorRegistry:
    """A registry with the metrics of the process, of Python and its garbage collector, and of the build."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(_Build(service))
    return registry


def labelled_counter(name: str, help: str, label: str, values: Mapping[str, float]) -> CounterMetricFamily:
    """One counter for each value of a label; the values should be few, and always the same."""
    family = CounterMetricFamily(name, help, labels=[label])
    for value, count in values.items():
        family.add_metric([value], count)
    return family


def labelled_gauge(name: str, help: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    """One gauge for each value of a label; the values should be few, and always the same."""
    family = GaugeMetricFamily(name, help, labels=[label])
    for value, level in values.items():
        family.add_metric([value], level)
    return family
