"""The reactor's lag, on a clock that is late when a test says so."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.metrics.reactor_lag import BOUNDS, INTERVAL, WINDOW, LagRecord, ReactorLag


class LagRecordTests(SynchronousTestCase):
    """What is remembered."""

    def test_a_lag_counts_in_the_first_bucket_that_holds_it(self) -> None:
        for lag, bucket in ((0.0, 0), (0.001, 0), (0.0011, 1), (0.05, 5), (1.0, 9), (1.1, 10), (3600.0, 10)):
            record = LagRecord()
            record.observe(lag, 0.0)
            self.assertEqual(record.counts.index(1), bucket, lag)
            self.assertEqual(sum(record.counts), 1)

    def test_the_largest_is_forgotten_after_the_window(self) -> None:
        record = LagRecord()
        for lag, now in ((0.1, 0.0), (0.5, 10.0), (0.2, 20.0), (0.01, 30.0)):
            record.observe(lag, now)
        self.assertEqual([record.largest(now) for now in (30, 70, 70.1, 80, 80.1, 91)], [0.5, 0.5, 0.2, 0.2, 0.01, 0.0])

    @given(st.lists(st.tuples(st.floats(0, 5), st.floats(0, 30)), min_size=1))
    def test_the_largest_is_that_of_the_window(self, steps: list[tuple[float, float]]) -> None:
        record, seen, now = LagRecord(), [], 0.0
        for lag, later in steps:
            now += later
            record.observe(lag, now)
            seen.append((now, lag))
            self.assertEqual(record.largest(now), max(lag for when, lag in seen if now - when <= WINDOW))


class ReactorLagTests(SynchronousTestCase):
    """What is measured and told."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lag = ReactorLag(self.clock)
        self.registry = CollectorRegistry(auto_describe=True)
        self.registry.register(self.lag)

    def value(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(f"lars_reactor_lag_{name}", labels)
        assert value is not None, name
        return value

    def test_a_reactor_in_time_has_no_lag(self) -> None:
        self.lag.start()
        self.clock.pump([INTERVAL] * 50)
        self.assertEqual(self.value("seconds_count"), 50)
        self.assertEqual(self.value("seconds_bucket", le="0.001"), 50)
        self.assertLess(self.value("max_seconds"), 1e-9)

    def test_a_late_turn_counts_with_what_it_was_late_and_the_next_is_due_after_it(self) -> None:
        self.lag.start()
        self.clock.pump([INTERVAL + 0.3, INTERVAL, INTERVAL])
        self.assertEqual(self.value("seconds_bucket", le="0.2"), 2)
        self.assertEqual(self.value("seconds_bucket", le="0.5"), 3)
        self.assertEqual(self.value("seconds_bucket", le="+Inf"), 3)
        self.assertAlmostEqual(self.value("seconds_sum"), 0.3)
        self.assertAlmostEqual(self.value("max_seconds"), 0.3)

    def test_scrapes_do_not_reset_the_largest_and_time_does(self) -> None:
        self.lag.start()
        self.clock.advance(INTERVAL + 0.3)
        for _ in range(3):
            self.assertAlmostEqual(self.value("max_seconds"), 0.3)
        self.clock.pump([INTERVAL] * int(WINDOW / INTERVAL + 2))
        self.assertLess(self.value("max_seconds"), 1e-9)

    def test_a_clock_that_is_set_back_is_no_lag(self) -> None:
        self.lag.start()
        [call] = self.clock.getDelayedCalls()
        self.clock.rightNow -= 5
        call.reset(0)
        self.clock.advance(0)
        self.assertEqual(self.value("seconds_sum"), 0)

    def test_stop_leaves_nothing_scheduled_and_keeps_what_was_found(self) -> None:
        self.lag.start()
        self.clock.advance(INTERVAL)
        self.lag.stop()
        self.lag.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.value("seconds_count"), 1)

    def test_the_buckets_are_told_under_their_bounds(self) -> None:
        text = generate_latest(self.registry).decode()
        self.assertEqual(text.count("lars_reactor_lag_seconds_bucket"), len(BOUNDS) + 1)
        for bound in ("0.001", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1.0", "+Inf"):
            self.assertIn(f'lars_reactor_lag_seconds_bucket{{le="{bound}"}} 0.0', text)
