"""Finagle's peak EWMA, which is also Linkerd's, and Finagle's failure accrual."""

import math
import random
from collections import deque
from collections.abc import Sequence

from bench.balance.policy import SimulatedPolicy

DECAY_TIME = 10.0
"""Seconds in which the influence of an old latency falls by e."""
PENALTY = float((2**63 - 1) >> 16) / 1e9
"""What a host without history costs while a call to it is under way."""


class PeakEwma(SimulatedPolicy):
    """Two distinct hosts at random, of which the lower cost = peak-sensitive EWMA of latency x (calls under way + 1).

    twitter/finagle finagle-core/.../loadbalancer/PeakEwma.scala: decayTime 10 s; a host without history but with a
    call under way costs Penalty + calls under way; reading a cost decays it. How a call ends makes no difference.
    """

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self.pending: dict[int, int] = dict.fromkeys(hosts, 0)
        self._cost: dict[int, float] = dict.fromkeys(hosts, 0.0)
        self._stamp: dict[int, float] = dict.fromkeys(hosts, now)

    def _observe(self, host: int, latency: float, now: float) -> None:
        cost = self._cost[host]
        if latency > cost:
            self._cost[host] = latency
        else:
            weight = math.exp((self._stamp[host] - now) / DECAY_TIME)
            self._cost[host] = cost * weight + latency * (1 - weight)
        self._stamp[host] = now

    def load(self, host: int, now: float) -> float:
        """What a further call to the host costs."""
        self._observe(host, 0.0, now)
        cost, pending = self._cost[host], self.pending[host]
        return PENALTY + pending if cost == 0.0 and pending else cost * (pending + 1)

    def pair(self) -> tuple[int, int]:
        """Two distinct hosts at random."""
        n, draw = len(self.hosts), self.rng.random
        i = int(draw() * n)
        j = int(draw() * (n - 1))
        return self.hosts[i], self.hosts[j + (j >= i)]

    def choose(self, key: int, now: float) -> int:
        host = self.hosts[0]
        if len(self.hosts) > 1:
            host, other = self.pair()
            if self.load(other, now) < self.load(host, now):
                host = other
        self.pending[host] += 1
        return host

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        self.pending[host] -= 1
        self._observe(host, cost, now)

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        for host in hosts:
            self._cost.setdefault(host, 0.0)
            self._stamp.setdefault(host, now)
            self.pending.setdefault(host, 0)


DRAWS = 5
"""Pairs that are drawn at most until one has a host that is open (p2c/P2CPick.scala)."""
FAILURES_IN_ROW = 5
WINDOW, SLICE = 30.0, 3.0
"""Seconds over which the success rate is taken, and of one part of them."""
MINIMUM_CALLS, MAX_FAILED = 5, 0.2
"""From so many calls in the window on, so large a share of failures marks a host dead."""
FIRST_BACKOFF, MAX_BACKOFF = 5.0, 300.0


class Finagle(PeakEwma):
    """Peak EWMA with failure accrual, its default.

    Five failures in a row, or less than 80 % successes of at least 5 calls in 30 s, mark a host dead for an equally
    jittered 5 s, doubled up to 300 s; then one probe decides. twitter/finagle .../liveness/FailureAccrualFactory.scala
    (jitteredBackoff), FailureAccrualPolicy.scala.
    """

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self._failures_in_row: dict[int, int] = dict.fromkeys(hosts, 0)
        self._slices: dict[int, deque[list[float]]] = {host: deque() for host in hosts}  # begin, calls, failures
        self._dead_until: dict[int, float] = {}  # also while the probe is under way
        self._probing: set[int] = set()
        self._backoff: dict[int, float] = {}

    def _is_open(self, host: int, now: float) -> bool:
        until = self._dead_until.get(host)
        return until is None or (now >= until and host not in self._probing)

    def choose(self, key: int, now: float) -> int:
        if not self._dead_until:
            return super().choose(key, now)
        host = self._draw_open(now) if len(self.hosts) > 1 else self.hosts[0]
        if host in self._dead_until and self._is_open(host, now):
            self._probing.add(host)
        self.pending[host] += 1
        return host

    def _draw_open(self, now: float) -> int:
        for _ in range(DRAWS):
            host, other = self.pair()
            host_open, other_open = self._is_open(host, now), self._is_open(other, now)
            if host_open and other_open:
                return other if self.load(other, now) < self.load(host, now) else host
            if host_open or other_open:
                return host if host_open else other
        return host

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        super().report(host, failed, cost, now)
        if host in self._dead_until:
            self._end_probe(host, failed, now)
            return
        slices = self._slices.setdefault(host, deque())
        if not slices or now - slices[-1][0] >= SLICE:
            slices.append([now, 0, 0])
            while now - slices[0][0] > WINDOW:
                slices.popleft()
        slices[-1][1] += 1
        slices[-1][2] += failed
        self._failures_in_row[host] = self._failures_in_row.get(host, 0) + 1 if failed else 0
        if failed:
            calls, failures = sum(part[1] for part in slices), sum(part[2] for part in slices)
            too_many = calls >= MINIMUM_CALLS and failures / calls > MAX_FAILED
            if self._failures_in_row[host] >= FAILURES_IN_ROW or too_many:
                self.changes.append((now, host, True))
                self._mark_dead(host, now)

    def _end_probe(self, host: int, failed: bool, now: float) -> None:
        if host not in self._probing:
            return
        self._probing.discard(host)
        if failed:
            self._mark_dead(host, now)
            return
        del self._dead_until[host]
        self._backoff.pop(host, None)
        self._failures_in_row[host] = 0
        self._slices[host].clear()
        self.changes.append((now, host, False))

    def _mark_dead(self, host: int, now: float) -> None:
        base = min(self._backoff.get(host, FIRST_BACKOFF / 2) * 2, MAX_BACKOFF)
        self._backoff[host] = base
        self._dead_until[host] = now + base / 2 + self.rng.random() * base / 2
