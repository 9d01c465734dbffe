"""The reference for the project's adaptive policy: its rules at their simplest, tuned on few seeds."""

import math
import random
from collections.abc import Sequence

from bench.balance.policy import REFUSED_BY_POLICY, SimulatedPolicy

STEP = 0.05
"""Seconds by which a call moves the module's own clock at most: with little traffic, evidence and probes keep."""
TAU = 10.0
"""Seconds in which counts of calls, and what is left of a slow host's latency, decay by e."""
PRIOR = 4.0
"""Successes that every host is credited with."""

SORENESS, SLOW_SORENESS = 2.0, 8.0
"""What a failure, and a slow one, counts as in calls under way."""
SORE_ROW = 8
"""Failures in a row that soreness grows with, at most."""
SORE_TAU = 2.0
"""Seconds in which soreness decays by e."""

LATENCY_WEIGHT = 0.1
"""Of a call in a host's latency."""
BAND, MAX_PENALTY = 1.25, 4.0
"""A host is penalized from so many times the module's latency on, so many times at most."""
CURRENT_CALLS, USUAL_CALLS = 20, 1000
"""Calls over which the module's latency of now, and its usual one, are learned."""
LEARNED = 50
"""Calls until latencies are used."""
FORGET = 2.0
"""Seconds in which calls under way that are never reported are forgotten, as a share of them each second."""
SLOW, SLOW_MORE = 8.0, 0.010
"""A failed call was slow if it took so many times the usual, and so many seconds more."""

ROW, CHANCE = 2, 1e-6
"""Failures in a row that eject, if by the others' share they are less likely than CHANCE."""
TIMES, EXCESS = 2.0, 0.1
"""A share of failures that ejects: above so many times the others' and so much more."""

MAX_WAIT, SHEDDING_WAIT = 20.0, 2.0
"""Seconds between probes: 2, 4, 8 … up to this; and up to that while load is shed."""
PROBE_GAP = 20
"""Calls between probes."""
SLOW_STRIKES = 4
"""A slow failure doubles the wait so many times."""
FORGIVEN = 30.0
"""Seconds in rotation after which earlier ejections do not count."""
RAMP = 3.0
"""Seconds until a host that has joined or was restored gets its full share."""

MIN_ADMITTED, SHED, KEPT = 0.1, 0.7, 0.5
"""The least share of calls that is let in, what it falls by each second, and the share of it that returns fast."""
ADMIT, ADMIT_FAST = 1.05, 1.5
"""What the share of calls that is let in rises by each second, and while latency is below FRESH times the usual."""
FRESH = 2.0


class _Record:
    """A host, as one agent sees it."""

    __slots__ = (
        "ejected",
        "failures",
        "host",
        "in_flight",
        "in_row",
        "joined",
        "latency",
        "leak",
        "penalty",
        "probe_at",
        "sore",
        "stale",
        "strikes",
        "successes",
    )

    def __init__(self, host: int, joined: float) -> None:
        self.host, self.joined = host, joined
        self.successes = self.failures = 0.0  # both decay
        self.in_flight = self.in_row = 0  # calls under way; failures in a row
        self.sore = self.leak = self.latency = 0.0
        self.penalty = 1.0
        self.ejected, self.strikes, self.stale, self.probe_at = False, 0, 0, 0.0


def _cost(record: _Record) -> float:
    return (record.in_flight + record.sore + 1) * record.penalty


class Candidate(SimulatedPolicy):
    """In turn, but against one other host drawn at random: whichever costs less.

    The cost is (calls under way + 1 + soreness) x penalty. Soreness: a failure counts as calls under way until a call
    succeeds or it heals. Penalty: how much longer the host's calls take than the module's of now. Where all is
    equal this is round robin. A host that fails while others do not is ejected, and probed by single calls. No call is
    refused except while load is shed: while most of the module's calls fail, and some of them by being slow.
    """

    def __init__(self, hosts: Sequence[int], rng: random.Random, now: float) -> None:
        super().__init__(hosts, rng, now)
        self._clock, self._last_pick, self._swept = 0.0, now, 0.0
        self._records = {host: _Record(host, -1e9) for host in hosts}
        self._healthy = list(self._records.values())
        rng.shuffle(self._healthy)  # agents that start together do not go in step
        self._ejected: list[_Record] = []
        self._turn, self._next_probe, self._since_probe = 0, math.inf, 0
        self._usual = self._current = 0.0
        self._timed = 0
        self._successes = self._failures = 0.0  # sums over the healthy hosts
        self._trouble = 0.0  # share of failures among the last ten calls or so
        self._admitted, self._kept, self._falling = 1.0, 1.0, False
        self._lately = [0, 0, 0]  # calls, failures, slow failures since load was last judged

    def choose(self, key: int, now: float) -> int:
        if self._admitted < 1 and self.rng.random() > self._admitted:
            return REFUSED_BY_POLICY
        self._clock += min(now - self._last_pick, STEP)
        self._last_pick = now
        if self._ejected:
            self._since_probe += 1
            due = self._clock >= self._next_probe and self._since_probe >= PROBE_GAP
            if due or (self._trouble > 0.5 and self._since_probe >= 2):
                return self._probe()
        healthy = self._healthy
        n = len(healthy)
        i = self._turn = (self._turn + 1) % n
        record = healthy[i]
        if n > 1:
            j = int(self.rng.random() * (n - 1))
            other = healthy[j + (j >= i)]
            if _cost(record) > _cost(other):
                record = other
            if record.sore or self._clock - record.joined < RAMP:
                record = self._rather(record)
        record.in_flight += 1
        return record.host

    def _rather(self, record: _Record) -> _Record:
        """Up to three more draws for a host that is sore, or joined so lately that it does not get its full share."""
        draw = self.rng.random
        if not record.sore and draw() < max(0.05, (self._clock - record.joined) / RAMP):
            return record
        best = record if record.sore else None
        for _ in range(3):
            other = self._healthy[int(draw() * len(self._healthy))]
            age = self._clock - other.joined
            if age < RAMP and draw() > age / RAMP:
                continue
            if best is None or _cost(other) < _cost(best):
                best = other
        return best or record

    def _probe(self) -> int:
        record = min(self._ejected, key=lambda ejected: ejected.probe_at)
        self._since_probe = 0
        self._schedule_probe(record)
        record.in_flight += 1
        return record.host

    def _schedule_probe(self, record: _Record) -> None:
        longest = MAX_WAIT if self._admitted == 1 else SHEDDING_WAIT
        wait = min(longest, 2.0 ** min(record.strikes, 9))
        record.probe_at = self._clock + wait * (0.8 + 0.4 * self.rng.random())
        self._find_next_probe()

    def _find_next_probe(self) -> None:
        self._next_probe = min((record.probe_at for record in self._ejected), default=math.inf)

    def report(self, host: int, failed: bool, cost: float, now: float) -> None:
        record = self._records[host]
        if record.in_flight:
            record.in_flight -= 1
        slow = failed and self._timed >= LEARNED and cost > max(SLOW * self._usual, self._usual + SLOW_MORE)
        if cost and not failed:
            self._learn(record, cost)
        if record.ejected:
            self._end_probe(record, failed, slow, now)
            return
        self._trouble += 0.1 * (failed - self._trouble)
        self._lately[0] += 1
        if failed:
            self._lately[1] += 1
            self._lately[2] += slow
            record.failures += 1
            self._failures += 1
            record.in_row += 1
            record.sore = min(SORE_ROW, record.in_row) * (SLOW_SORENESS if slow else SORENESS)
            self._judge(record, slow, now)
        else:
            record.successes += 1
            self._successes += 1
            record.in_row, record.sore = 0, 0.0

    def _end_probe(self, record: _Record, failed: bool, slow: bool, now: float) -> None:
        if record.stale > 0:  # it was under way when the host was ejected
            record.stale -= 1
        elif failed:
            record.strikes += SLOW_STRIKES if slow else 1
            self._schedule_probe(record)
        else:
            self._restore(record, now)

    def _learn(self, record: _Record, cost: float) -> None:
        """A peak counts as twice the mean at most."""
        self._timed = n = min(USUAL_CALLS, self._timed + 1)
        usual, current = self._usual, self._current
        self._usual += (min(cost, 2 * usual) - usual if n > LEARNED else cost - usual) / n
        current += (min(cost, 2 * current) - current if n > LEARNED else cost - current) / min(n, CURRENT_CALLS)
        self._current = current
        record.latency += LATENCY_WEIGHT * (cost - record.latency) if record.latency else cost
        if n >= LEARNED:
            record.penalty = min(MAX_PENALTY, max(1.0, record.latency / (BAND * current)))

    def _judge(self, record: _Record, slow: bool, now: float) -> None:
        """Ejects a host after a failure if it is this host that fails, and not all of them."""
        healthy = self._healthy
        if len(healthy) < 2 or 2 * sum(other.in_row > 0 for other in healthy) > len(healthy) + 1:
            return
        successes, failures = self._successes - record.successes, self._failures - record.failures
        others = failures / (successes + failures + PRIOR)
        share = record.failures / (record.successes + record.failures + PRIOR)
        if share > TIMES * others + EXCESS or (record.in_row >= ROW and others**record.in_row < CHANCE):
            if self._clock - record.joined > FORGIVEN:
                record.strikes = 0
            record.strikes += SLOW_STRIKES if slow else 1
            record.ejected, record.stale = True, record.in_flight
            healthy.remove(record)
            self._ejected.append(record)
            self._successes -= record.successes
            self._failures -= record.failures
            self._schedule_probe(record)
            self.changes.append((now, record.host, True))

    def _restore(self, record: _Record, now: float) -> None:
        record.ejected, record.in_row, record.sore, record.joined = False, 0, 0.0, self._clock
        self._ejected.remove(record)
        self._join(record)
        self._successes += record.successes
        self._failures += record.failures
        self._find_next_probe()
        self.changes.append((now, record.host, False))

    def _join(self, record: _Record) -> None:
        self._healthy.insert(int(self.rng.random() * (len(self._healthy) + 1)), record)

    def sweep(self, now: float) -> None:
        passed = self._clock - self._swept
        if not passed:
            return
        self._swept = self._clock
        self._shed()
        keep, heal, top = math.exp(-passed / TAU), math.exp(-passed / SORE_TAU), BAND * self._current
        self._successes = self._failures = 0.0
        for record in self._records.values():
            record.successes *= keep
            record.failures *= keep
            if record.in_flight:
                record.leak += record.in_flight * passed / FORGET
                gone = int(record.leak)
                record.leak -= gone
                record.in_flight -= min(record.in_flight, gone)
            if record.penalty > 1:
                latency = min(record.latency, MAX_PENALTY * top)
                record.latency = self._current + (latency - self._current) * keep
                record.penalty = max(1.0, record.latency / top)
            if record.sore:
                record.sore = record.sore * heal if record.sore > 0.2 else 0.0
            if not record.ejected:
                self._successes += record.successes
                self._failures += record.failures

    def _shed(self) -> None:
        """The share let in falls while most calls fail and some by being slow; it rises while hardly any fails."""
        calls, failed, slow = self._lately
        if calls >= 5 and failed > 0.5 * calls and slow > 0.1 * calls:
            if not self._falling:
                self._kept, self._falling = KEPT * self._admitted, True
                for record in self._ejected:
                    record.probe_at = min(record.probe_at, self._clock + 2)
                self._find_next_probe()
            self._admitted = max(MIN_ADMITTED, self._admitted * SHED)
        elif calls and self._admitted < 1 and failed < 0.1 * calls:
            fast = self._admitted < self._kept or self._current < FRESH * self._usual
            self._admitted, self._falling = min(1.0, self._admitted * (ADMIT_FAST if fast else ADMIT)), False
        elif calls < 5:
            return  # too few: gather on
        self._lately = [0, 0, 0]

    def update(self, hosts: Sequence[int], now: float) -> None:
        super().update(hosts, now)
        for host in hosts:
            if host not in self._records:
                self._records[host] = _Record(host, self._clock)
                self._join(self._records[host])
