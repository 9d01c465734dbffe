"""Numbers and times as the console writes them."""

from datetime import UTC, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from lars.web.formats import age, iso, moment, percent, rate, remaining, until, whole, zone


class NumberTests(SynchronousTestCase):
    def test_shares_rates_and_counts(self) -> None:
        self.assertEqual(
            [percent(1, 0), percent(1, 3), percent(1, 1000), percent(5, 5)], ["-", "33.3%", "0.10%", "100%"]
        )
        self.assertEqual([rate(0), rate(0.25), rate(3.14), rate(1240)], ["0", "0.25", "3.1", "1,240"])
        self.assertEqual([whole(0), whole(12_345)], ["0", "12,345"])


class TimeTests(SynchronousTestCase):
    def test_age_has_the_largest_unit_of_which_two_have_passed(self) -> None:
        self.assertEqual(
            [age(0, 5), age(0, 130), age(0, 7300), age(0, 180_000), age(9, 5)],
            [(5, "s"), (2, "min"), (2, "h"), (2, "d"), (0, "s")],
        )

    def test_moments_are_in_the_readers_zone_and_iso_in_utc(self) -> None:
        self.assertEqual(moment(0, timezone(timedelta(hours=8))), "1970-01-01 08:00:00")
        self.assertEqual(iso(0), "1970-01-01T00:00:00Z")

    def test_moment_to_come_has_its_date_unless_it_is_today(self) -> None:
        shanghai = timezone(timedelta(hours=8))
        self.assertEqual([until(6 * 3600, 0, where) for where in (UTC, shanghai)], ["06:00", "14:00"])
        self.assertEqual(until(17 * 3600, 0, UTC), "17:00")
        self.assertEqual(until(17 * 3600, 0, shanghai), "1970-01-02 01:00")

    def test_remaining_time_is_in_whole_minutes_and_never_shorter(self) -> None:
        self.assertEqual(
            [remaining(until, 100) for until in (0, 100, 101, 7300, 7301, 93_880)],
            ["", "", "1m", "2h", "2h 1m", "1d 2h 3m"],
        )

    def test_unknown_zone_is_utc(self) -> None:
        for name in ("", "../../etc/passwd", "No/Where", "x" * 100, "/etc/passwd"):
            self.assertIs(zone(name), UTC)
        self.assertEqual(str(zone("Asia/Shanghai")), "Asia/Shanghai")
