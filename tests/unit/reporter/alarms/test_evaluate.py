"""The subjects that violate a rule, by kind of rule."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import CallerSeen, HostCalls, HostStates, Subject
from lars.reporter.alarms.evaluate import (
    describe,
    ejected_hosts,
    high_error_rates,
    modules_without_healthy_host,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind


class EvaluateTests(SynchronousTestCase):
    def test_error_rate_must_exceed_the_limit_with_enough_calls_in_a_module_of_the_rule(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, ((1, None),), above=0.1, min_calls=100)
        for calls, violates in (
            (HostCalls(1, 1, 0, 0, 90, 10), False),
            (HostCalls(1, 1, 0, 0, 89, 11), True),
            (HostCalls(1, 1, 0, 0, 0, 99), False),
            (HostCalls(1, 1, 0, 0, 0, 100), True),
            (HostCalls(2, 1, 0, 0, 0, 100), False),
        ):
            self.assertEqual(list(high_error_rates(rule, [calls])), [Subject(1, 1)] if violates else [], calls)

    def test_error_rate_of_a_host_names_the_host_and_the_numbers(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, above=0.1, min_calls=1)
        [(subject, text)] = high_error_rates(rule, [HostCalls(1, 2, 0x0A000005, 8080, 1500, 500)]).items()
        self.assertEqual(describe(subject), "host 10.0.0.5:8080 of module (1, 2)")
        self.assertEqual(text, "25.0 % of 2,000 calls in 60 s failed, over 10 %")

    def test_host_is_ejected_when_enough_callers_have_ejected_it(self) -> None:
        rule = AlarmRule("x", Kind.OVERLOADED_HOST, min_callers=2)
        found = ejected_hosts(rule, [HostStates(1, 1, 5, 80, 3, 1), HostStates(1, 1, 6, 80, 3, 2)])
        self.assertEqual(found, {Subject(1, 1, 6, 80): "ejected by 2 of 3 callers"})

    def test_module_has_no_healthy_host_when_all_callers_have_ejected_all_hosts(self) -> None:
        rule = AlarmRule("x", Kind.NO_IDLE_HOST)
        hosts = [HostStates(1, 1, 5, 80, 2, 2), HostStates(1, 1, 6, 80, 1, 1), HostStates(1, 2, 5, 80, 2, 1)]
        self.assertEqual(list(modules_without_healthy_host(rule, hosts)), [Subject(1, 1)])
        self.assertEqual(modules_without_healthy_host(rule, []), {})

    def test_caller_is_silent_only_for_as_long_as_reports_could_be_taken(self) -> None:
        rule = AlarmRule("x", Kind.SILENT_CALLER, over=300)
        seen = [CallerSeen(5, 1000)]
        self.assertEqual(silent_callers(rule, seen, 900, 1299), {})
        self.assertEqual(silent_callers(rule, seen, 1100, 1399), {})
        self.assertEqual(silent_callers(rule, seen, 900, 1300), {Subject(caller=5): "no report for 300 s"})
