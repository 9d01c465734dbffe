"""When checks are due: at their interval, at most so many a second, and spread over a fleet."""

import random
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.health.schedule import JITTER, Schedule


@dataclass(eq=False)
class Item:
    number: int
    due: float = inf


class Agent:
    """The schedule of an agent that checks some hosts at an interval; each check takes no time."""

    def __init__(self, hosts: int, interval: float, rate: float, seed: int, now: float = 0.0) -> None:
        self.schedule: Schedule[Item] = Schedule(rate, random.Random(seed))
        self.interval = interval
        for number in range(hosts):
            self.schedule.first(Item(number), interval, now)

    def run(self, until: float) -> list[tuple[float, int]]:
        """The times at which hosts are checked."""
        made = []
        while (now := self.schedule.next_at()) < until:
            item = self.schedule.take(now)
            assert item is not None
            self.schedule.started(now)
            self.schedule.again(item, self.interval, now)
            made.append((now, item.number))
        return made


class ScheduleTests(SynchronousTestCase):
    def test_each_host_is_checked_once_an_interval(self) -> None:
        made = Agent(10, 5.0, 50.0, seed=1).run(1000.0)
        for number in range(10):
            times = [at for at, host in made if host == number]
            self.assertLessEqual(times[0], 5.0)
            gaps = [after - before for before, after in pairwise(times)]
            self.assertLessEqual(max(gaps), 5.0 * (1 + JITTER) + 0.3)
            self.assertGreaterEqual(min(gaps), 5.0 * (1 - JITTER) - 0.3)
            self.assertLess(abs(sum(gaps) / len(gaps) - 5.0), 0.1)

    def test_more_hosts_than_the_rate_allows_take_turns(self) -> None:
        made = Agent(1000, 5.0, 50.0, seed=1).run(100.0)
        self.assertLessEqual(len(made), 50 * 100)
        self.assertGreater(len(made), 50 * 98)
        counts = [sum(host == number for _at, host in made) for number in range(1000)]
        self.assertLessEqual(max(counts) - min(counts), 2)

    @given(st.integers(1, 200), st.floats(0.2, 10), st.floats(1, 100))
    @settings(max_examples=30, deadline=None)
    def test_no_two_checks_are_closer_than_the_rate(self, hosts: int, interval: float, rate: float) -> None:
        times = [at for at, _host in Agent(hosts, interval, rate, seed=hosts).run(3 * interval)]
        for before, after in pairwise(times):
            self.assertGreaterEqual(after - before, 1 / rate * 0.999)

    def test_fleet_of_a_thousand_agents_checks_each_of_ten_hosts_at_the_stated_rate(self) -> None:
        """docs/design/balancing.md: agents / interval checks a second at each host, never in bursts."""
        agents, hosts, interval, seconds = 1000, 10, 5.0, 30
        by_host_and_second = [[0] * seconds for _ in range(hosts)]
        for seed in range(agents):
            for at, host in Agent(hosts, interval, 50.0, seed).run(float(seconds)):
                by_host_and_second[host][int(at)] += 1
        stated = agents / interval
        for counts in by_host_and_second:
            self.assertLess(abs(sum(counts) / seconds / stated - 1), 0.05)
            self.assertLess(max(counts), 1.5 * stated)
            self.assertGreater(min(counts), 0.6 * stated)

    def test_what_is_dropped_or_under_way_is_not_due(self) -> None:
        schedule: Schedule[Item] = Schedule(50.0, random.Random(1))
        first, second = Item(1), Item(2)
        schedule.at(first, 1.0)
        schedule.at(second, 2.0)
        schedule.at(first, 3.0)
        self.assertEqual(schedule.next_at(), 2.0)
        self.assertIsNone(schedule.take(1.9))
        self.assertIs(schedule.take(2.0), second)
        self.assertEqual(schedule.next_at(), 3.0)
        schedule.drop(first)
        self.assertEqual((schedule.next_at(), schedule.take(9.0)), (inf, None))
