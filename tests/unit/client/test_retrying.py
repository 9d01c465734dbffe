"""Which hosts are tried, and when the attempts end."""

from collections.abc import Iterable, Iterator

from twisted.trial.unittest import SynchronousTestCase

from lars.client import Host
from lars.client.call import Failures
from lars.client.retrying import AsyncAttempt, Attempt, Retrying
from lars.errors import SettingsError
from lars.route import ModuleId, parse_host

A, B, C = (Host(ModuleId(1, 1), parse_host(f"10.0.0.{n}:80")) for n in (1, 2, 3))


class AttemptTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reported: list[tuple[Host, int]] = []
        self.route = [A, B, C]

    def report(self, host: Host, retcode: int, _cost: float) -> None:
        self.reported.append((host, retcode))

    def attempts(self, hosts: Iterable[Host], attempts: int, failures: Failures = Exception) -> Iterator[Attempt]:
        """The attempts of a caller whose agent gives these hosts, in order."""
        given = iter(hosts)
        retrying = Retrying(self.report, attempts, failures)
        for timed, last in retrying.timed():
            yield Attempt(lambda: next(given), lambda: self.route, retrying, timed, last)

    def test_attempts_end_with_the_first_success(self) -> None:
        for attempt in self.attempts([A, B, C], 3):
            with attempt as host:
                if host == A:
                    raise OSError
        self.assertEqual(self.reported, [(A, 1), (B, 0)])

    def test_attempt_marked_as_failed_is_followed_by_another(self) -> None:
        tried = []
        for attempt in self.attempts([A, B, C], 3):
            with attempt as host:
                tried.append(host)
                if host != C:
                    attempt.fail(5)
        self.assertEqual((tried, self.reported), ([A, B, C], [(A, 5), (B, 5), (C, 0)]))

    def test_last_attempt_may_be_marked_as_failed(self) -> None:
        for attempt in self.attempts([A, B], 2):
            with attempt:
                attempt.fail()
        self.assertEqual(self.reported, [(A, 1), (B, 1)])

    def test_failure_of_the_last_attempt_is_raised(self) -> None:
        def call() -> None:
            for attempt in self.attempts([A, B, C], 2):
                with attempt:
                    raise OSError

        self.assertRaises(OSError, call)
        self.assertEqual(self.reported, [(A, 1), (B, 1)])

    def test_exception_that_is_no_failure_ends_the_attempts_and_reports_nothing(self) -> None:
        def call() -> None:
            for attempt in self.attempts([A, B, C], 3, OSError):
                with attempt:
                    raise ValueError

        self.assertRaises(ValueError, call)
        self.assertEqual(self.reported, [])

    def tried(self, hosts: Iterable[Host], attempts: int) -> list[Host]:
        """The hosts of attempts that all fail."""
        tried = []
        try:
            for attempt in self.attempts(hosts, attempts):
                with attempt as host:
                    tried.append(host)
                    raise OSError
        except OSError:
            return tried
        return tried

    def test_host_that_was_tried_is_asked_past(self) -> None:
        self.assertEqual(self.tried([A, A, B, A, B, C], 3), [A, B, C])

    def test_untried_host_of_the_route_is_taken_if_the_agent_gives_none(self) -> None:
        self.route = [A, B]
        self.assertEqual(self.tried([A, A, A], 2), [A, B])

    def test_only_host_is_tried_again(self) -> None:
        self.route = [A]
        self.assertEqual(self.tried([A] * 6, 3), [A, A, A])

    def test_less_than_one_attempt_is_refused(self) -> None:
        self.assertRaises(SettingsError, Retrying, self.report, 0, Exception)

    def test_asynchronous_attempts_ask_for_the_same_hosts(self) -> None:
        given = iter([A, A, B])
        tried = []

        async def get_host() -> Host:
            return next(given)

        async def get_route() -> list[Host]:
            return self.route

        async def call() -> None:
            retrying = Retrying(self.report, 2, Exception)
            for timed, last in retrying.timed():
                async with AsyncAttempt(get_host, get_route, retrying, timed, last) as host:
                    tried.append(host)
                    if host == A:
                        raise OSError

        with self.assertRaises(StopIteration):
            call().send(None)
        self.assertEqual((tried, self.reported), ([A, B], [(A, 1), (B, 0)]))
