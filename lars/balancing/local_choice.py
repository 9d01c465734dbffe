"""Choosing in the caller's own process: the module's policy, with a short way where its rules have nothing to decide.

See docs/design/client.md, the cache. Between two looks at the rules, `quick` picks and `gather` counts, at the price
of a few attributes. What they count becomes evidence with the next look. Hosts that the agent has ejected have weight
0 here: to probe them is the agent's part.
"""

import math
import random
from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from typing import Generic, TypeVar

from lars.balancing.gathered import Gathered, GatheredByHost
from lars.balancing.host import Host
from lars.balancing.local_rules import LocalRules, no_host
from lars.balancing.policies import PICKERS
from lars.balancing.record import Record
from lars.route import HostAddress

LOOK = 0.1
"""Seconds between two looks at the rules."""

LOOK_HOSTS = 4_000
"""One second more for so many hosts, since a look goes through them."""

SWEEP = 1.0
"""Seconds between two sweeps."""

MAX_GATHERED = 10_000
"""Successes that are kept, at most, before they are reported."""


class LocalHost(Host):
    """A host, and what was counted of it since the last look.

    Attributes:
        calls, cost, timed: as in Gathered.
        asked: calls under way for which the agent chose the host; their results are reported one by one.
        ejected: whether the agent has ejected the host.
        called: whether a call has ended since the agent last said which hosts are slow.
        answered: whether a call has ended since the last look.
        waiting_since: the first look since which calls are under way and none has ended; None if there is none such.
        silent: whether that is so for much longer than calls take.
    """

    __slots__ = ("answered", "asked", "called", "calls", "cost", "ejected", "silent", "timed", "waiting_since")

    def __init__(self, address: HostAddress, weight: int = 100) -> None:
        super().__init__(address, weight)
        self.calls = self.timed = self.asked = 0
        self.cost = 0.0
        self.ejected = self.called = self.answered = self.silent = False
        self.waiting_since: float | None = None


L = TypeVar("L", bound=LocalHost)


class LocalChoice(Generic[L]):
    """One process's choice among the hosts of a module. `now` is in seconds, monotonic.

    `quick` and `gather` may be called by several threads at once; hold a lock for the rest.

    Args:
        policy: the name of the module's policy. With the name of one that does not eject (classic) or is not known,
            all hosts that the agent has not ejected take turns, and only the agent ejects.
        rng: for draws.

    Attributes:
        hosts: all hosts by address.
        quick: picks a host; for use before `quick_until`.
        quick_until: when the rules must be looked at again; in the past while every call needs them.
        gathered: successes that are to be reported.
        limit: as many of them are reported without delay.
        silent: hosts that have become silent, to be reported without delay.
    """

    __slots__ = (
        "_busy",
        "_left",
        "_look_at",
        "_now",
        "_passed",
        "_rng",
        "_rules",
        "_swept",
        "gathered",
        "hosts",
        "limit",
        "quick",
        "quick_until",
        "silent",
    )

    def __init__(self, policy: str, rng: random.Random) -> None:
        picker = PICKERS.get(policy)
        self._rules: LocalRules[L] | None = None if picker is None else LocalRules(picker(rng), rng)
        self._rng = rng
        self._left = GatheredByHost()  # to be reported, besides what the hosts have counted
        self._passed = 0  # results of calls of which the rules do not know
        self._busy = 0  # calls in flight at the last look
        self._now = self._swept = self._look_at = -math.inf
        self.hosts: dict[HostAddress, L] = {}
        self.quick: Callable[[], L] = no_host
        self.quick_until = -math.inf
        self.gathered = 0
        self.limit = MAX_GATHERED
        self.silent: list[HostAddress] = []

    @property
    def agent_ejects(self) -> bool:
        """Whether only the agent ejects hosts."""
        return self._rules is None

    def rebuild(self, hosts: Iterable[L], now: float) -> None:
        """Replaces the hosts; the same object is the same host."""
        self._collect()
        self.hosts = {host.address: host for host in hosts}
        if self._rules is not None:
            self._rules.rebuild(self.hosts.values(), now)
        else:
            taking = [host for host in self.hosts.values() if host.weight]
            start = int(self._rng.random() * len(taking))
            self.quick = cycle(taking[start:] + taking[:start]).__next__
        self.look(now)

    # -- the short way

    def gather(self, address: HostAddress, cost: float | None) -> bool:
        """Counts a successful call; False, and nothing is counted, if `report` must do it.

        Args:
            address: the host.
            cost: its duration in seconds, None where unknown.
        """
        host = self.hosts.get(address)
        if host is None or host.asked or self.gathered + 1 >= self.limit:
            return False
        if cost is not None:
            if not 0 <= cost < math.inf:
                return False
            host.cost += cost
            host.timed += 1
        record: Record[L] | None = host.record
        if record is not None and record.in_flight:
            record.in_flight -= 1
        host.calls += 1
        self.gathered += 1
        return True

    # -- the long way

    def pick(self, key: int, now: float) -> L | None:
        """The host for a call about `key`, 0 for none; None when the call should not be made."""
        if now >= self._look_at:
            self.look(now)
        if now < self.quick_until:  # for these calls the turns of `quick` go on
            return self.quick()
        if self._rules is None:
            return None
        self._now = now = max(now, self._now)  # threads come in any order
        return self._rules.pick(key, now)

    def adopt(self, host: L) -> bool:
        """Takes the agent's choice for a call; False if this process should not call the host: choose another."""
        if not host.ejected and self._rules is not None and not self._rules.adopt(host):
            return False
        host.asked += 1
        return True

    def report(self, host: L, failed: bool, cost: float, now: float) -> bool:
        """Takes the result of a call, after those that were gathered before it.

        Returns:
            Whether it is to be told by itself: it is a failure, or the agent chose the host. Other successes are
            gathered.
        """
        if now < self.quick_until:  # `quick` has picked it
            self._passed += 1
        host.answered = host.called = True
        alone = failed or host.asked > 0
        if host.asked:
            host.asked -= 1
        if failed:
            self.look(now)
            self.limit = 1
        if self._rules is not None:
            self._rules.report(host, failed, cost, now)
            if failed:
                self.quick_until = -math.inf
        if not alone:
            self._left.add(host.address, Gathered(1, cost, 1 if cost else 0))
            self.gathered += 1
        return alone

    def failed_elsewhere(self, host: L, cost: float, now: float) -> None:
        """Takes the failure of a call that another process has made: calls of this one go round the host, too."""
        if self._rules is not None:
            self.look(now)
            self._rules.failed_elsewhere(host, cost)
            self.quick_until = -math.inf

    def slow_elsewhere(self, penalties: Mapping[HostAddress, float]) -> None:
        """Takes as how many calls one counts, by host and 1 for the others, as all processes know it.

        Of a host that this process has called since, it knows better if the host is slower.
        """
        if self._rules is None:
            return
        for address, host in self.hosts.items():
            penalty = penalties.get(address, 1.0)
            if not host.called or penalty > host.record.penalty:
                self._rules.slow_elsewhere(host, penalty)
            host.called = False

    def silent_elsewhere(self, host: L, now: float) -> None:
        """Takes it that a call of another process to the host takes much longer than calls do."""
        if self._rules is not None:
            self.look(now)
            self._rules.silent(host)
            self.quick_until = -math.inf

    def look(self, now: float) -> None:
        """Makes evidence of what was counted, and lets time pass."""
        self._collect()
        if self._rules is None:
            self.quick_until = math.inf if any(host.weight for host in self.hosts.values()) else -math.inf
            return
        busy = self._rules.busy()
        # Of calls that are never reported only the number in flight is known.
        self._rules.calls_passed(self._passed + max(0, busy - self._busy), now)
        self._passed, self._busy = 0, busy
        self._find_silent(self._rules, now)
        if now - self._swept >= SWEEP:
            self._swept = now
            self._rules.sweep(now)
        self._look_at = now + LOOK + len(self.hosts) / LOOK_HOSTS
        calm = self._rules.calm_for()
        if calm:
            self.quick = self._rules.quick()
            self.quick_until = min(self._look_at, now + calm)
        else:
            self.quick_until = -math.inf

    def _find_silent(self, rules: LocalRules[L], now: float) -> None:
        for host in self.hosts.values():
            if host.answered or not host.record.in_flight:
                host.answered = host.silent = False
                host.waiting_since = None
            elif host.waiting_since is None:
                host.waiting_since = now
            elif not host.silent and now - host.waiting_since > rules.slow_from:
                host.silent = True
                rules.silent(host)
                self.silent.append(host.address)

    # -- what is to be reported

    def take_gathered(self) -> dict[HostAddress, Gathered]:
        """Removes the successes to be reported, and returns them by host."""
        self._collect()
        self.gathered = 0
        self.limit = min(2 * self.limit, MAX_GATHERED)
        return self._left.take()

    def take_silent(self) -> list[HostAddress]:
        """Removes the silent hosts to be reported, and returns them."""
        silent, self.silent = self.silent, []
        return silent

    def put_back(self, gathered: Mapping[HostAddress, Gathered]) -> None:
        """Adds successes to be reported, of which the rules need not know."""
        for address, more in gathered.items():
            self._left.add(address, more)
            self.gathered += more.calls

    def _collect(self) -> None:
        for host in self.hosts.values():
            if host.calls:
                # Read and subtracted rather than set to 0: other threads may be counting.
                gathered = Gathered(host.calls, host.cost, host.timed)
                host.calls -= gathered.calls
                host.cost -= gathered.cost
                host.timed -= gathered.timed
                self._passed += gathered.calls
                host.answered = host.called = True
                self._left.add(host.address, gathered)
                if self._rules is not None and host.record is not None:
                    self._rules.report_gathered(host, gathered, 0.0)
