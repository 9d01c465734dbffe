"""Envoy's LEAST_REQUEST and outlier detection, with the defaults of its configuration."""

import math
import random
from collections.abc import Sequence

from bench.balance.policy import SimulatedPolicy


class LeastRequest(SimulatedPolicy):
    """Envoy's LEAST_REQUEST for equal weights: two draws with replacement, the first keeps ties.

    envoyproxy/envoy source/extensions/load_balancing_policies/least_request/least_request_lb.cc,
    unweightedHostPickNChoices; choice_count is 2 by default (api .../least_request/v3/least_request.proto).
    """

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self.active: dict[int, int] = dict.fromkeys(hosts, 0)

    def choose(self, key: int, now: float) -> int:
        host = self.draw_two(self.hosts)
        self.active[host] += 1
        return host

    def draw_two(self, hosts: Sequence[int]) -> int:
        """The one with fewer calls under way of two drawn at random."""
        draw, n, active = self.rng.random, len(hosts), self.active
        a, b = hosts[int(draw() * n)], hosts[int(draw() * n)]
        return b if active[b] < active[a] else a

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self.active[host] -= 1

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        for host in hosts:
            self.active.setdefault(host, 0)


INTERVAL = 10.0
"""Seconds between two looks at success rates and at hosts whose ejection may end (INTERVAL_MS)."""
BASE_EJECTION, MAX_EJECTION = 30.0, 300.0
"""Seconds of ejection (BASE_EJECTION_TIME_MS, MAX_EJECTION_TIME_MS)."""
CONSECUTIVE_FAILURES = 5
"""Failures in a row that eject (DEFAULT_CONSECUTIVE_5XX)."""
MAX_EJECTION_PERCENT = 10
"""Share of the hosts that may be ejected at once."""
MINIMUM_HOSTS, REQUEST_VOLUME, STDEV_FACTOR = 5, 100, 1.9
"""Success rates are compared from so many hosts on, with so many calls each; ejected are those so far below."""


class OutlierDetection(LeastRequest):
    """Envoy's outlier detection over LEAST_REQUEST.

    envoyproxy/envoy source/common/upstream/outlier_detection_impl.{h,cc}: ejectHost, onIntervalTimer,
    successRateEjectionThreshold. Hosts return, and success rates are compared, only when the interval timer fires.
    One host may always be ejected, which is what the documentation of max_ejection_percent says; the code's own
    default is that no host of fewer than ten is ever ejected (PlainOutlierDetection). Panic threshold 50 %: docs
    intro/arch_overview/upstream/load_balancing/panic_threshold.
    """

    always_eject_one = True
    in_turn = False

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self._failures_in_row: dict[int, int] = dict.fromkeys(hosts, 0)
        self._calls: dict[int, list[int]] = {host: [0, 0] for host in hosts}  # of this interval: all, successes
        self._multiplier: dict[int, int] = dict.fromkeys(hosts, 0)
        self._ejected: dict[int, float] = {}
        self._returned: dict[int, float] = {}
        self._healthy = list(hosts)
        self._turn = rng.randrange(len(hosts))
        self._next_interval = now + INTERVAL * rng.random()

    def choose(self, key: int, now: float) -> int:
        hosts = self.hosts if 2 * len(self._healthy) < len(self.hosts) else self._healthy
        if self.in_turn:
            self._turn += 1
            host = hosts[self._turn % len(hosts)]
        else:
            host = self.draw_two(hosts)
        self.active[host] += 1
        return host

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self.active[host] -= 1
        counts = self._calls[host]
        counts[0] += 1
        if failed:
            self._failures_in_row[host] += 1
            if self._failures_in_row[host] == CONSECUTIVE_FAILURES and host not in self._ejected:
                self._eject(host, now)
                self._failures_in_row[host] = 0
        else:
            counts[1] += 1
            self._failures_in_row[host] = 0

    def _eject(self, host: int, now: float) -> None:
        percent = 100 * (len(self._ejected) + 1) / len(self.hosts)
        if percent <= MAX_EJECTION_PERCENT or (self.always_eject_one and not self._ejected):
            self._ejected[host] = now
            self._healthy.remove(host)
            self.changes.append((now, host, True))
            if self._multiplier[host] * BASE_EJECTION < MAX_EJECTION + BASE_EJECTION:
                self._multiplier[host] += 1

    def sweep(self, now: float) -> None:
        if now < self._next_interval:
            return
        self._next_interval += INTERVAL
        for host, since in list(self._ejected.items()):
            if min(BASE_EJECTION * self._multiplier[host], MAX_EJECTION) <= now - since:
                self._restore(host, now)
        self._eject_by_success_rate(now)
        for host in self.hosts:
            self._calls[host] = [0, 0]
            if host not in self._ejected and host in self._returned and now - self._returned[host] >= INTERVAL:
                self._multiplier[host] = max(0, self._multiplier[host] - 1)

    def _restore(self, host: int, now: float) -> None:
        del self._ejected[host]
        self._healthy.append(host)
        self._failures_in_row[host] = 0
        self._returned[host] = now
        self.changes.append((now, host, False))

    def _eject_by_success_rate(self, now: float) -> None:
        if len(self.hosts) < MINIMUM_HOSTS:
            return
        rates = [
            (host, 100 * successes / calls)
            for host, (calls, successes) in self._calls.items()
            if host not in self._ejected and calls >= REQUEST_VOLUME
        ]
        if len(rates) < MINIMUM_HOSTS:
            return
        mean = sum(rate for _, rate in rates) / len(rates)
        deviation = math.sqrt(sum((rate - mean) ** 2 for _, rate in rates) / len(rates))
        for host, rate in rates:
            if rate < mean - STDEV_FACTOR * deviation:
                self._eject(host, now)

    def update(self, hosts: Sequence[int], now: float) -> None:
        for host in hosts:
            if host not in self.active:
                self._failures_in_row[host] = self._multiplier[host] = 0
                self._calls[host] = [0, 0]
                self._healthy.append(host)
        super().update(hosts, now)


class RoundRobinOutlierDetection(OutlierDetection):
    """Outlier detection over round robin."""

    in_turn = True


class PlainOutlierDetection(RoundRobinOutlierDetection):
    """As Envoy's code has it by default: max_ejection_percent 10 ejects no host of fewer than ten."""

    always_eject_one = False
