"""The skew of an agent's clock, and when its calls happened."""

from twisted.trial.unittest import SynchronousTestCase

from lars.reporter.agent_clock import AgentClock, happened_at

NOW = 1_795_362_600.5
SECOND = int(NOW)


class AgentClockTests(SynchronousTestCase):
    def test_skew_is_that_of_the_report_that_waited_least(self) -> None:
        clock = AgentClock()
        seen = [clock.observe(SECOND + late, NOW) for late in (-300, -20, -1, -40)]
        self.assertEqual(seen, [-300, -20, -1, -1])

    def test_slow_and_fast_clocks_are_measured(self) -> None:
        for skew in (-600, -3, 0, 5, 86_400):
            clock = AgentClock()
            seen = {clock.observe(SECOND + after + skew, NOW + after) for after in range(0, 200, 5)}
            self.assertEqual(seen, {skew})

    def test_clock_that_is_set_back_is_noticed_within_a_minute(self) -> None:
        clock = AgentClock()
        clock.observe(SECOND, NOW)
        seen = [clock.observe(SECOND + after - 600, NOW + after) for after in (5, 25, 35, 55, 66)]
        self.assertEqual(seen, [0, 0, 0, 0, -600])

    def test_agent_that_reports_once_a_minute_is_measured_each_time(self) -> None:
        clock = AgentClock()
        self.assertEqual([clock.observe(ts, now) for ts, now in ((100, 100.0), (100, 160.0))], [0, -60])


class HappenedAtTests(SynchronousTestCase):
    def test_ts_is_corrected_by_the_skew(self) -> None:
        self.assertEqual(happened_at(SECOND - 600, NOW, -600), SECOND)
        self.assertEqual(happened_at(SECOND + 540, NOW, 600), SECOND - 60)
        self.assertEqual(happened_at(SECOND - 3599, NOW, 0), SECOND - 3599)

    def test_what_lies_ahead_or_is_over_an_hour_old_counts_by_its_arrival(self) -> None:
        for ts in (SECOND + 1, SECOND - 3601, 0, 2**32 - 1):
            self.assertEqual(happened_at(ts, NOW, 0), SECOND, ts)
