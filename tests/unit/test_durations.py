"""Lengths of time as people type them."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.durations import duration
from lars.errors import SettingsError

WEEK = 7 * 86_400


class DurationTests(SynchronousTestCase):
    def test_units_are_added(self) -> None:
        given = {"90s": 90, "30m": 1800, "2h": 7200, "1d12h": 129_600, " 1H30M ": 5400, "1d 12h": 129_600, "7d": WEEK}
        self.assertEqual({text: duration(text, WEEK) for text in given}, given)

    def test_others_are_refused_with_what_to_write(self) -> None:
        for text in ("", "0s", "2x", "2", "-2h", "2 hours", "1.5h", "30m2h", "8d", "9" * 40 + "d", "٣h"):
            with self.assertRaisesRegex(
                SettingsError, r"is not a time such as 90s, 30m, 2h or 1d12h, of at most 7 days"
            ):
                duration(text, WEEK)

    @given(st.text(max_size=8))
    def test_any_text_is_seconds_or_refused(self, text: str) -> None:
        with contextlib.suppress(SettingsError):
            self.assertTrue(1 <= duration(text, WEEK) <= WEEK)
