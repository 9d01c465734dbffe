"""Rows of bars."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.sparkline import ASCII_BARS, BARS, bars_for, sparkline, summed


class SparklineTests(SynchronousTestCase):
    def test_bars_are_as_high_as_their_share(self) -> None:
        for values, top, expected in (
            ([0, 1, 4, 7], None, "▁▂▅█"),
            ([0.0, 0.5, 1.0], 1.0, "▁▅█"),
            ([1, 1000], None, "▂█"),
            ([None, 3, None], None, " █ "),
            ([0, 0], None, "▁▁"),
            ([5.0], 1.0, "█"),
            ([], None, ""),
        ):
            self.assertEqual(sparkline(values, top), expected, values)

    def test_neighbors_are_summed_until_they_fit(self) -> None:
        self.assertEqual(summed([1, 2, 3], 3), [1, 2, 3])
        self.assertEqual(summed([1, None, None, None, 5], 3), [1, None, 5])
        self.assertEqual(len(summed([1.0] * 1440, 60)), 60)

    def test_encodings_without_bars_get_others(self) -> None:
        for encoding, bars in (("utf-8", BARS), ("latin-1", ASCII_BARS), ("ascii", ASCII_BARS), ("x", ASCII_BARS)):
            self.assertEqual(bars_for(encoding), bars)
        self.assertEqual(sparkline([0, 1, 4, 7], bars=ASCII_BARS), "_.=#")
