"""Percentiles by nearest rank."""

from twisted.trial.unittest import SynchronousTestCase

from bench.percentile import percentile


class PercentileTests(SynchronousTestCase):
    def test_is_the_smallest_sample_that_the_share_does_not_exceed(self) -> None:
        for share, expected in ((0, 1), (0.1, 1), (0.11, 2), (0.5, 5), (0.9, 9), (0.99, 10), (1, 10)):
            self.assertEqual(percentile(range(1, 11), share), expected, share)

    def test_order_of_the_samples_does_not_matter(self) -> None:
        self.assertEqual(percentile([3.0, 1.0, 2.0], 0.5), 2.0)

    def test_of_one_sample_is_that_sample(self) -> None:
        self.assertEqual([percentile([7.0], share) for share in (0, 0.5, 0.999, 1)], [7.0] * 4)
