"""The simulator against published figures; tests/soak has the loads that take longer."""

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.envoy import LeastRequest
from bench.balance.policies.finagle import PeakEwma
from bench.balance.policies.simple import PlainRoundRobin
from bench.balance.published import linkerd, supermarket, supermarket_limit


class SupermarketTests(SynchronousTestCase):
    def test_limits_are_those_of_the_paper(self) -> None:
        """Mitzenmacher's table of the prediction for two choices."""
        for load, limit in ((0.5, 1.2657), (0.7, 1.6145), (0.9, 2.6141), (0.99, 5.4320)):
            self.assertAlmostEqual(supermarket_limit(load), limit, places=4)

    def test_two_choices_take_the_time_that_the_model_predicts(self) -> None:
        """Within 3 %: there are 500 queues, not infinitely many, and the run is short."""
        for load, end in ((0.5, 400.0), (0.7, 600.0)):
            time, limit = supermarket(load, end, seed=1), supermarket_limit(load)
            self.assertApproximates(time, limit, 0.03 * limit)


class LinkerdTests(SynchronousTestCase):
    def test_shares_of_calls_under_a_second_are_those_that_linkerd_published(self) -> None:
        """Published are 95, 99 and 99.9 %, rounded."""
        self.assertApproximates(linkerd(PlainRoundRobin, seed=1), 95.0, 0.5)
        self.assertApproximates(linkerd(LeastRequest, seed=1), 99.0, 0.5)
        self.assertApproximates(linkerd(PeakEwma, seed=1), 99.9, 0.05)
