"""The subjects that violate a rule and those that are right, by kind of rule; the rest is unknown."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.measurements import CallerSeen, HostCalls, HostStates, Subject
from lars.reporter.alarms.evaluate import (
    Judgment,
    describe,
    ejected_hosts,
    high_error_rates,
    modules_without_healthy_host,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind
from lars.reporter.alarms.window import Ejections

M = Subject(1, 1)
A, B = Subject(1, 1, 5, 80), Subject(1, 1, 6, 80)


def host(subject: Subject, share: float, ejected_now: int = 0, reported: int = 2) -> Ejections:
    """A host of two callers, which both had ejected it for a share of the time."""
    return Ejections(HostStates(*subject[:4], 2, ejected_now, reported), 2 if share else 0, share, share)


def calls(subject: Subject, succ: int, err: int) -> HostCalls:
    return HostCalls(*subject[:4], succ, err)


def judged(judgment: Judgment, subject: Subject) -> str:
    if subject in judgment.violations:
        return "bad"
    return "right" if judgment.is_right(subject) else "unknown"


class ErrorRateTests(SynchronousTestCase):
    def test_error_rate_must_exceed_the_limit_with_enough_calls_in_a_module_of_the_rule(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, ((1, None),), above=0.1, min_calls=100)
        for counted, expected in (
            (calls(M, 90, 10), "right"),
            (calls(M, 89, 11), "bad"),
            (calls(M, 0, 99), "unknown"),
            (calls(M, 0, 100), "bad"),
            (calls(M, 1, 0), "right"),
            (calls(M, 0, 0), "unknown"),
            (calls(Subject(2, 1), 0, 100), "unknown"),
        ):
            self.assertEqual(judged(high_error_rates(rule, [counted]), M), expected, counted)

    def test_error_rate_of_a_host_names_the_host_and_the_numbers(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, above=0.1, min_calls=1)
        counted = HostCalls(1, 2, 0x0A000005, 8080, 1500, 500)
        [(subject, text)] = high_error_rates(rule, [counted]).violations.items()
        self.assertEqual(describe(subject), "host 10.0.0.5:8080 of module (1, 2)")
        self.assertEqual(describe(subject, "shop / pay"), "host 10.0.0.5:8080 of module (1, 2) shop / pay")
        self.assertEqual(text, "25.0 % of 2,000 calls in 60 s failed, over 10 %")


class EjectedHostTests(SynchronousTestCase):
    rule = AlarmRule("x", Kind.OVERLOADED_HOST, min_callers=2)

    def test_host_is_ejected_when_enough_callers_have_ejected_it_for_half_of_the_time(self) -> None:
        judgment = ejected_hosts(self.rule, [host(A, 0.5), host(B, 0.49)], [calls(B, 1, 0)])
        self.assertEqual(judgment.violations, {A: "ejected by 2 of 2 callers, for 50 % of the last 60 s"})
        self.assertEqual(judged(judgment, B), "right")

    def test_one_caller_is_not_two(self) -> None:
        lonely = Ejections(HostStates(*A[:4], 2, 1, 2), 1, 0.0, 0.5)
        self.assertEqual(judged(ejected_hosts(self.rule, [lonely], [calls(A, 9, 9)]), A), "right")

    def test_host_is_right_only_when_calls_succeed(self) -> None:
        for reported, counted, expected in (
            (0, [calls(A, 1, 3)], "unknown"),
            (2, [calls(A, 0, 3)], "unknown"),
            (2, [calls(A, 1, 3)], "right"),
            (2, [], "unknown"),
        ):
            judgment = ejected_hosts(self.rule, [host(A, 0.1, reported=reported)], counted)
            self.assertEqual(judged(judgment, A), expected, (reported, counted))
        self.assertEqual(judged(ejected_hosts(self.rule, [], []), A), "unknown")


class NoHealthyHostTests(SynchronousTestCase):
    rule = AlarmRule("x", Kind.NO_IDLE_HOST, min_calls=10)

    def test_module_whose_hosts_are_ejected_for_half_of_the_callers_time_is_down(self) -> None:
        judgment = modules_without_healthy_host(self.rule, [host(A, 0.5), host(B, 0.9)], [])
        self.assertEqual(
            judgment.violations,
            {M: "all 2 hosts are down: ejected by 70 % of callers on average over 60 s, failed calls: 0 of 0"},
        )
        for counted, expected in (([], "unknown"), ([calls(A, 1, 1)], "right"), ([calls(B, 9, 0)], "unknown")):
            judgment = modules_without_healthy_host(self.rule, [host(A, 0.49), host(B, 0.9)], counted)
            self.assertEqual(judged(judgment, M), expected, counted)

    def test_texts_of_one_host_and_of_one_call_are_in_the_singular(self) -> None:
        alone = modules_without_healthy_host(self.rule, [host(A, 1.0)], [calls(A, 0, 1)])
        down = "its only host is down: ejected by 100 % of callers on average over 60 s, failed calls: 1 of 1"
        self.assertEqual(alone.violations, {M: down})
        rule = AlarmRule("x", Kind.ERR_RATE, above=0.1, min_calls=1)
        failed = high_error_rates(rule, [HostCalls(1, 2, 0x0A000005, 8080, 0, 1)])
        self.assertEqual([*failed.violations.values()], ["100.0 % of 1 call in 60 s failed, over 10 %"])

    def test_module_whose_calls_fail_is_down_although_its_hosts_are_let_back(self) -> None:
        hosts = [host(A, 0.1), host(B, 0)]
        for of_a, of_b, expected in (
            ((0, 50), (0, 10), "bad"),
            ((5, 45), (1, 9), "bad"),
            ((0, 50), (2, 8), "right"),
            ((0, 50), (0, 9), "unknown"),
            ((0, 50), (9, 0), "right"),
        ):
            judgment = modules_without_healthy_host(self.rule, hosts, [calls(A, *of_a), calls(B, *of_b)])
            self.assertEqual(judged(judgment, M), expected, (of_a, of_b))

    def test_module_of_which_nothing_is_reported_is_unknown(self) -> None:
        self.assertEqual(judged(modules_without_healthy_host(self.rule, [], []), M), "unknown")
        silent = [host(A, 0.1, reported=0)]
        self.assertEqual(judged(modules_without_healthy_host(self.rule, silent, []), M), "unknown")


class SilentCallerTests(SynchronousTestCase):
    def test_caller_is_silent_only_if_reports_could_be_taken_for_as_long(self) -> None:
        rule = AlarmRule("x", Kind.SILENT_CALLER, over=300)
        five, six = Subject(caller=5), Subject(caller=6)
        young = silent_callers(rule, [CallerSeen(5, 1000)], 299, 1300)
        self.assertEqual([judged(young, subject) for subject in (five, six)], ["unknown", "right"])
        self.assertEqual(
            silent_callers(rule, [CallerSeen(5, 1000)], 300, 1300).violations, {five: "no report for 300 s"}
        )
