"""What is wrong, by each kind of rule."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import CallerSeen, HostCalls, HostStates, Subject
from lars.reporter.alarms.evaluate import (
    described,
    high_error_rates,
    modules_without_idle_host,
    overloaded_hosts,
    silent_callers,
)
from lars.reporter.alarms.rules import AlarmRule, Kind


class EvaluateTests(SynchronousTestCase):
    def test_error_rate_must_be_above_with_calls_enough_in_a_watched_module(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, ((1, None),), above=0.1, min_calls=100)
        for calls, is_wrong in (
            (HostCalls(1, 1, 0, 0, 90, 10), False),
            (HostCalls(1, 1, 0, 0, 89, 11), True),
            (HostCalls(1, 1, 0, 0, 0, 99), False),
            (HostCalls(1, 1, 0, 0, 0, 100), True),
            (HostCalls(2, 1, 0, 0, 0, 100), False),
        ):
            self.assertEqual(list(high_error_rates(rule, [calls])), [Subject(1, 1)] if is_wrong else [], calls)

    def test_error_rate_of_a_host_names_the_host_and_the_numbers(self) -> None:
        rule = AlarmRule("x", Kind.ERR_RATE, above=0.1, min_calls=1)
        [(subject, text)] = high_error_rates(rule, [HostCalls(1, 2, 0x0A000005, 8080, 1500, 500)]).items()
        self.assertEqual(described(subject), "host 10.0.0.5:8080 of module (1, 2)")
        self.assertEqual(text, "25.0 % of 2,000 calls in 60 s failed, over 10 %")

    def test_host_is_overloaded_when_callers_enough_say_so(self) -> None:
        rule = AlarmRule("x", Kind.OVERLOADED_HOST, min_callers=2)
        found = overloaded_hosts(rule, [HostStates(1, 1, 5, 80, 3, 1), HostStates(1, 1, 6, 80, 3, 2)])
        self.assertEqual(found, {Subject(1, 1, 6, 80): "2 of 3 callers have set it aside"})

    def test_module_has_no_idle_host_when_every_caller_has_set_every_host_aside(self) -> None:
        rule = AlarmRule("x", Kind.NO_IDLE_HOST)
        hosts = [HostStates(1, 1, 5, 80, 2, 2), HostStates(1, 1, 6, 80, 1, 1), HostStates(1, 2, 5, 80, 2, 1)]
        self.assertEqual(list(modules_without_idle_host(rule, hosts)), [Subject(1, 1)])
        self.assertEqual(modules_without_idle_host(rule, []), {})

    def test_caller_is_silent_only_for_as_long_as_somebody_listened(self) -> None:
        rule = AlarmRule("x", Kind.SILENT_CALLER, over=300)
        seen = [CallerSeen(5, 1000)]
        self.assertEqual(silent_callers(rule, seen, 900, 1299), {})
        self.assertEqual(silent_callers(rule, seen, 1100, 1399), {})
        self.assertEqual(
            silent_callers(rule, seen, 900, 1300), {Subject(caller=5): "nothing was heard of it for 300 s"}
        )
