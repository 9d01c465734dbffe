"""A service's registry: what is in it from the start, and that services don't share it."""

from collections.abc import Iterator

from prometheus_client import REGISTRY, generate_latest
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from twisted.trial.unittest import SynchronousTestCase

from lars import __version__
from lars.metrics.registry import labelled_counter, labelled_gauge, new_registry


class Requests(Collector):
    """A collector of one counter."""

    def collect(self) -> Iterator[Metric]:
        yield CounterMetricFamily("lars_requests_total", "Requests.", 1)


class RegistryTests(SynchronousTestCase):
    def test_it_tells_service_and_version(self) -> None:
        labels = {"service": "lars-dns", "version": __version__}
        self.assertEqual(new_registry("lars-dns").get_sample_value("lars_build_info", labels), 1)

    def test_it_tells_of_the_process_and_of_python(self) -> None:
        families = {f.name for f in text_string_to_metric_families(generate_latest(new_registry("lars")).decode())}
        self.assertLessEqual(
            {"process_resident_memory_bytes", "process_open_fds", "python_gc_collections", "python_info"}, families
        )

    def test_two_services_have_two_registries_and_none_is_the_global_one(self) -> None:
        one, other = new_registry("lars-dns"), new_registry("lars-agent")
        one.register(Requests())
        self.assertEqual(one.get_sample_value("lars_requests_total"), 1)
        self.assertIsNone(other.get_sample_value("lars_requests_total"))
        self.assertIsNone(REGISTRY.get_sample_value("lars_requests_total"))

    def test_a_name_that_is_taken_is_refused(self) -> None:
        registry = new_registry("lars-dns")
        registry.register(Requests())
        with self.assertRaises(ValueError):
            registry.register(Requests())


class LabelledTests(SynchronousTestCase):
    def test_each_value_of_the_label_is_a_sample(self) -> None:
        counter = labelled_counter("lars_skipped_total", "Skipped.", "reason", {"malformed": 2, "unknown": 0})
        gauge = labelled_gauge("lars_links", "Links.", "peer", {"dns": 1})
        samples = [(s.name, s.labels, s.value) for family in (counter, gauge) for s in family.samples]
        self.assertEqual(
            samples,
            [
                ("lars_skipped_total", {"reason": "malformed"}, 2),
                ("lars_skipped_total", {"reason": "unknown"}, 0),
                ("lars_links", {"peer": "dns"}, 1),
            ],
        )
        self.assertEqual((counter.type, gauge.type), ("counter", "gauge"))
