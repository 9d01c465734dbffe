"""Durations of requests: one area for each set of pages, however many paths clients make up."""

from prometheus_client import CollectorRegistry
from twisted.trial.unittest import SynchronousTestCase

from lars.web.durations import RequestDurations


class RequestDurationTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.registry = CollectorRegistry()
        self.durations = RequestDurations(self.registry, ["modules", "api"])

    def count(self, area: str) -> float | None:
        return self.registry.get_sample_value("lars_web_request_duration_seconds_count", {"area": area})

    def test_path_counts_for_its_first_part(self) -> None:
        self.durations.answered(b"/modules/1/1", 0.03)
        self.durations.answered(b"/api/v1/modules", 0.02)
        self.assertEqual((self.count("modules"), self.count("api"), self.count("overview")), (1, 1, 0))
        name = "lars_web_request_duration_seconds_bucket"
        self.assertEqual(self.registry.get_sample_value(name, {"area": "modules", "le": "0.025"}), 0)
        self.assertEqual(self.registry.get_sample_value(name, {"area": "modules", "le": "0.05"}), 1)

    def test_made_up_paths_make_no_area(self) -> None:
        for path in (b"/", b"", b"*", b"/wp-login.php", b"/\xff/x"):
            self.durations.answered(path, 0.01)
        self.assertEqual(self.count("overview"), 5)
        areas = {s.labels["area"] for family in self.registry.collect() for s in family.samples}
        self.assertEqual(areas, {"modules", "api", "static", "overview"})

    def test_live_stream_is_left_out(self) -> None:
        self.durations.answered(b"/live/fleet", 3600.0)
        self.assertEqual([self.count(area) for area in ("modules", "api", "static", "overview")], [0, 0, 0, 0])
