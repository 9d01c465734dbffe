"""Tests of tests.drill.calls."""

from twisted.trial.unittest import SynchronousTestCase

from tests.drill.calls import FAILED, OK, Call, between, read_calls, settled_after, share

ZONES = {"10.77.1.5": "a", "10.77.2.5": "b"}


def calls_each_tenth(begin: float, end: float, zones: str) -> list[Call]:
    """Calls to zones in turn."""
    count = round((end - begin) * 10)
    return [Call(begin + n / 10, begin + n / 10, zones[n % len(zones)], "", OK) for n in range(count)]


class ReadCallsTests(SynchronousTestCase):
    def test_lines_become_calls(self) -> None:
        text = "1.0 1.5 10.77.2.5:9000 ok\n2.0 2.5 10.77.1.5:9000 failed\n3.0 3.0 - Overloaded\n"
        self.assertEqual(
            read_calls(text, ZONES),
            [
                Call(1.0, 1.5, "b", "10.77.2.5", OK),
                Call(2.0, 2.5, "a", "10.77.1.5", FAILED),
                Call(3.0, 3.0, "", "", "Overloaded"),
            ],
        )

    def test_call_whose_outcome_was_not_reported(self) -> None:
        self.assertEqual(
            read_calls("1.0 1.5 10.77.2.5:9000 ok+GatewayAway\n", ZONES), [Call(1.0, 1.5, "b", "10.77.2.5", OK, False)]
        )

    def test_line_that_is_being_written_is_left_out(self) -> None:
        calls = read_calls("1.0 1.5 10.77.2.5:9000 ok\n2.0 2.5 10.77", ZONES)
        self.assertEqual(calls, [Call(1.0, 1.5, "b", "10.77.2.5", OK)])

    def test_only_a_call_without_a_host_is_refused(self) -> None:
        self.assertEqual([Call(1, 1, "", "", outcome).refused for outcome in (OK, FAILED, "NoSuchModule")], [0, 0, 1])


class ShareTests(SynchronousTestCase):
    def test_part_of_the_calls_in_a_time(self) -> None:
        calls = [*calls_each_tenth(0, 2, "ab"), *calls_each_tenth(2, 4, "a")]
        self.assertEqual(share(between(calls, 0, 2), "b"), 0.5)
        self.assertEqual(share(between(calls, 2, 4), "b"), 0)
        self.assertEqual(share([], "b"), 0)


class SettledAfterTests(SynchronousTestCase):
    def test_time_from_which_on_the_share_stays(self) -> None:
        calls = [
            *calls_each_tenth(10, 13, "a"),
            *calls_each_tenth(13, 15, "ab"),
            *calls_each_tenth(15, 18, "a"),
            *calls_each_tenth(18, 24, "ab"),
        ]
        self.assertEqual(settled_after(calls, "b", 0.5, 10, 24), 8)

    def test_none_where_it_does_not_come_back(self) -> None:
        self.assertIsNone(settled_after(calls_each_tenth(10, 20, "aaaab"), "b", 0.5, 10, 20))
