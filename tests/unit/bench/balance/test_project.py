"""The project's policies in the simulator."""

import random
from collections.abc import Iterable, Iterator, Mapping

from twisted.trial.unittest import SynchronousTestCase

from bench.balance.policies.project import NumberedHost, ProjectPolicy, project_policy
from lars.balancing.classic import Classic, ClassicSettings
from lars.balancing.gathered import Gathered
from lars.balancing.host import HostExplanation, HostState, HostView, StateChange
from lars.balancing.policies import NAMES
from lars.balancing.policy import Policy
from tests.unit.balancing.draws import FirstHost


class Recorder(Policy[NumberedHost]):
    """Records its reports; every failure ejects the host, and the next sweep restores it."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[NumberedHost] = []
        self.out: set[NumberedHost] = set()
        self.reports: list[tuple[int, bool, float]] = []
        self.keys: list[int] = []

    def rebuild(self, hosts: Iterable[NumberedHost], now: float) -> None:
        self.revision += 1
        self.all = list(hosts)

    def pick(self, key: int, now: float, source: int = 0) -> NumberedHost | None:
        self.keys.append(key)
        return next((host for host in self.all if host not in self.out), None)

    def report(self, host: NumberedHost, failed: bool, cost: float, now: float, source: int = 0) -> None:
        self.reports.append((host.number, failed, cost))
        if failed:
            self.revision += 1
            self.out.add(host)

    def report_gathered(self, host: NumberedHost, gathered: Gathered, now: float, before_failure: bool = False) -> None:
        raise AssertionError("calls are reported one by one")

    def sweep(self, now: float) -> list[StateChange[NumberedHost]]:
        self.revision += bool(self.out)
        self.out.clear()
        return []

    @property
    def ejected(self) -> int:
        return len(self.out)

    def states(self) -> Mapping[NumberedHost, HostState]:
        return {host: HostState.EJECTED if host in self.out else HostState.HEALTHY for host in self.all}

    def explain(self, now: float, first: int = 0, most: int | None = None) -> list[HostExplanation]:
        raise AssertionError("the simulator does not ask why")

    def views(self, healthy: bool = True) -> Iterator[HostView[NumberedHost]]:
        raise AssertionError("the simulator does not ask for states")


class ProjectPolicyTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.inner = Recorder()
        self.policy = ProjectPolicy(self.inner, [0, 1], random.Random(1), 0.0)

    def test_pick_gets_the_key_and_none_is_a_refused_call(self) -> None:
        self.assertEqual(self.policy.choose(17, 1.0), 0)
        self.policy.report(0, True, 0.1, 1.0)
        self.policy.report(1, True, 0.1, 1.0)
        self.assertEqual(self.policy.choose(18, 1.0), -1)
        self.assertEqual(self.inner.keys, [17, 18])

    def test_cost_has_the_whole_milliseconds_of_a_report(self) -> None:
        self.policy.report(1, False, 0.0129, 1.0)
        self.policy.report(0, False, 0.0003, 1.0)
        self.assertEqual(self.inner.reports, [(1, False, 0.012), (0, False, 0.0)])

    def test_change_of_state_is_noted_when_it_happens(self) -> None:
        self.policy.report(1, True, 0.1, 2.5)
        self.policy.report(0, False, 0.1, 2.6)
        self.policy.sweep(3.0)
        self.assertEqual(self.policy.changes, [(2.5, 1, True), (3.0, 1, False)])

    def test_host_that_joins_leaves_the_others_as_they_are(self) -> None:
        before = list(self.inner.all)
        self.policy.update([0, 1, 2], 1.0)
        self.assertIs(self.inner.all[0], before[0])
        self.assertEqual([host.number for host in self.inner.all], [0, 1, 2])
        self.assertEqual(len({host.address for host in self.inner.all}), 3)

    def test_names_are_those_of_lars_balancing(self) -> None:
        for name in NAMES:
            policy = project_policy(name)([0, 1, 2], random.Random(1), 0.0)
            self.assertEqual({policy.choose(call, 1.0) for call in range(60)}, {0, 1, 2}, name)

    def test_classic_decides_as_it_does_in_the_agent(self) -> None:
        """The same calls through the adapter and without it."""
        policy = ProjectPolicy(Classic(ClassicSettings(), FirstHost()), [0, 1, 2], random.Random(1), 0.0)
        direct: Classic[NumberedHost] = Classic(ClassicSettings(), FirstHost())
        hosts = [NumberedHost(number) for number in range(3)]
        direct.rebuild(hosts, 0.0)
        for call in range(300):
            now = call / 10
            number, host = policy.choose(0, now), direct.pick(0, now)
            self.assertEqual(number, host.number if host else -1)
            if host:
                policy.report(number, number == 1, 0.25, now)
                direct.report(host, number == 1, 0.25, now)
        self.assertIn((1, True), [(host, ejected) for _now, host, ejected in policy.changes])
