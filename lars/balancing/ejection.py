"""Ejection: which hosts of a module get no calls for a while, by their failures (docs/design/balancing.md, ejection).

Evidence decays with time and is judged against the other hosts of the module, so that what fails everywhere ejects
nobody. Envoy's outlier detection and Finagle's failure accrual are the models; unlike them it has no fixed share of
hosts that may be ejected, because a zone that dies is more than half of many modules.
"""

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic

from lars.balancing.host import H, HostState, StateChange
from lars.balancing.record import Record

_ELSEWHERE = -1
"""The source of failures that other processes have met, as the agent passes them on to a client."""


def vote(accuser: int, lead: float, source: int) -> tuple[int, float]:
    """Counts one more failure that a source reports, 0 for one that is believed alone.

    Boyer and Moore's majority vote (MJRTY, 1981): where one source has reported most of the failures, it is `accuser`,
    and `lead` is at least by how many more than all others. Of what is left without the lead, its own are at most half.
    """
    if source and source == accuser:
        return accuser, lead + 1
    if lead >= 1:
        return accuser, lead - 1
    return (source, 1 - lead) if source else (0, 0.0)


@dataclass(frozen=True, slots=True)
class EjectionSettings:
    """Numbers of the ejection rules. Times are in seconds.

    Attributes:
        enabled: whether any host is ejected.
        step: the module's clock goes on by this much at most from one call to the next.
        idle: a pause between calls of which more counts for slow starts in full.
        decay: time in which counts of calls decay by e.
        prior: good calls that every host is credited with.
        in_a_row, chance: a host is ejected after so many failures in a row, if the others' share of failures makes
            them less likely than `chance`.
        factor, excess: or if its share of failures is above `factor` times the others' plus `excess`.
        first_wait, max_wait: time to the first probe, which doubles with each strike, up to a limit.
        max_slow_wait: the limit for a host that last failed by being slow: each probe of it costs a caller a timeout.
        hurried_wait: the limit while load is shed.
        longest: real time after which an ejected host is probed in any case, however little traffic there is.
        jitter: share by which such a time varies at random.
        probe_gap: calls from one probe to the next, at least.
        slow_strikes: strikes that a slow failure counts as.
        forgiven: strikes are forgotten after so long in rotation.
        remembered: real time for which a host that leaves while it is ejected stays so if it comes back.
        ramp: time in which a host that joins or is restored gets its share of calls.
        pain, slow_pain: calls in flight that a failure, and a slow one, counts as.
        max_pain_row: failures in a row that add to the pain, at most.
        pain_decay: time in which the pain decays by e.
        doubted, doubted_share: where one source has reported so many more failures in a row than all others, calls of
            the others still go to the host, for so much of its share.
    """

    enabled: bool = True
    step: float = 0.05
    idle: float = 0.5
    decay: float = 10.0
    prior: float = 4.0
    in_a_row: int = 2
    chance: float = 1e-6
    factor: float = 2.0
    excess: float = 0.1
    first_wait: float = 6.0
    max_wait: float = 10.0
    max_slow_wait: float = 20.0
    hurried_wait: float = 0.5
    longest: float = 600.0
    jitter: float = 0.2
    probe_gap: int = 20
    slow_strikes: int = 4
    forgiven: float = 30.0
    remembered: float = 60.0
    ramp: float = 2.0
    pain: float = 4.0
    slow_pain: float = 8.0
    max_pain_row: int = 8
    pain_decay: float = 2.0
    doubted: int = 4
    doubted_share: float = 0.5


class Ejection(Generic[H]):
    """The hosts of a module in two lists: eligible ones and ejected ones.

    Attributes:
        accused: a host whose failures in a row one source has reported nearly alone (EjectionSettings.doubted).
        clock: seconds that have passed for the module. With little traffic it goes slower than time, so that evidence
            keeps until there are calls to judge it by.
        eligible, ejected: the records.
        version: another number whenever `eligible` has changed.
    """

    __slots__ = (
        "_bad",
        "_changes",
        "_good",
        "_hurried",
        "_joined",
        "_last",
        "_next_deadline",
        "_next_probe",
        "_rng",
        "_settings",
        "_since_probe",
        "_step",
        "_swept",
        "_trouble",
        "_warm_at",
        "accused",
        "clock",
        "ejected",
        "eligible",
        "version",
    )

    def __init__(self, settings: EjectionSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._step = settings.step
        self._last = 0.0
        self._swept = 0.0
        self._next_probe = self._next_deadline = math.inf
        self._since_probe = 0
        self._joined = -math.inf  # on the module's clock: when the latest host joined
        self._warm_at = -math.inf  # on the module's clock: until then, a host may be in its slow start
        self._hurried = False
        self._good = self._bad = 0.0  # sums over the eligible hosts
        self._trouble = 0.0  # share of failures among the last ten calls or so
        self._changes: list[StateChange[H]] = []
        self.accused: Record[H] | None = None
        self.clock = 0.0
        self.eligible: list[Record[H]] = []
        self.ejected: list[Record[H]] = []
        self.version = 0

    def add(self, record: Record[H]) -> None:
        """A new host, which is eligible, at a random place."""
        self.eligible.insert(int(self._rng.random() * (len(self.eligible) + 1)), record)
        self._joined = self.clock
        self._warm_at = self.clock + self._settings.ramp
        self.version += 1

    def remove(self, record: Record[H]) -> None:
        """A host that leaves."""
        (self.ejected if record.ejected else self.eligible).remove(record)
        if not record.ejected:
            self._good -= record.good
            self._bad -= record.bad
        self._schedule()
        self.version += 1

    def add_ejected(self, record: Record[H], earlier: Record[H], away: float) -> None:
        """A host that is back after `away` seconds, and was ejected when it left: it goes on from there."""
        record.ejected, record.failed_slowly, record.stale = True, earlier.failed_slowly, record.in_flight
        record.good, record.bad, record.failures = earlier.good, earlier.bad, earlier.failures
        record.accuser, record.lead = earlier.accuser, earlier.lead
        record.bad_accuser, record.bad_lead = earlier.bad_accuser, earlier.bad_lead
        record.strikes, record.probe_at, record.deadline = earlier.strikes, earlier.probe_at, earlier.deadline
        record.joined_at, record.blamed, record.unhealthy = earlier.joined_at, earlier.blamed, earlier.unhealthy
        record.evidence = earlier.evidence
        self.ejected.append(record)
        self._schedule()
        self.version += 1
        next_step = self._until_probe(record) if record.blamed else f"unhealthy: {record.unhealthy}"
        evidence = f"it was ejected when it left the route {away:.0f} s ago; {next_step}"
        self._changes.append(StateChange(record.host, HostState.EJECTED, "back in the route", evidence))

    def use_settings(self, settings: EjectionSettings) -> None:
        """Goes on by other numbers, with all that is known of the hosts."""
        self._settings = settings
        self._step = settings.step
        if not settings.enabled:
            for record in tuple(self.ejected):
                if record.unhealthy:
                    record.blamed = False  # its checks alone keep it out
                else:
                    self._restore(record, "ejection is off")

    def carry_over(self, record: Record[H], now: float) -> None:
        """Ejects a host that another policy had ejected, unless no other would be left."""
        if self._settings.enabled and record in self.eligible and len(self.eligible) > 1:
            self._eject(record, False, "another policy", 0.0, now)

    def ensure_eligible(self) -> None:
        """Restores an ejected host if no other is left."""
        if self.ejected and not self.eligible:
            self._restore(self._fallback(), "no other host")

    def _fallback(self) -> Record[H]:
        """The ejected host to restore where no other is left."""
        return min(self.ejected, key=lambda each: each.probe_at)

    # -- picking

    def next_call(self, now: float) -> Record[H] | None:
        """Lets the module's clock go on for one call. Returns the ejected host that it is to probe, if it is time."""
        step = now - self._last
        if step < self._step:
            self.clock += step
        else:
            if step > self._settings.idle and self.clock < self._warm_at:
                self._warm_up(step - self._step)
            self.clock += self._step
        self._last = now
        return self._probe(now) if self.ejected else None

    def _warm_up(self, seconds: float) -> None:
        """Lets slow starts go on while the module has few calls, and its clock stands still.

        A pause in which a host has joined does not count: it may have begun long before.
        """
        ramp = self._settings.ramp
        if self.clock == self._joined:
            return
        for record in self.eligible:
            record.joined_at -= max(0.0, min(seconds, ramp - (self.clock - record.joined_at)))

    def _probe(self, now: float) -> Record[H] | None:
        self._since_probe += 1
        settings = self._settings
        due = self.clock >= self._next_probe and self._since_probe >= settings.probe_gap
        # While most calls fail, the ejected hosts are as good a guess as the others.
        if due or (self.in_trouble and self._since_probe >= 2):
            record = min(self.probeable(), key=lambda each: each.probe_at, default=None)
        elif now >= self._next_deadline:
            record = min(self.probeable(), key=lambda each: each.deadline, default=None)
        else:
            return None
        if record is None:
            return None
        self._since_probe = 0
        self._wait(record, now)
        return record

    def probeable(self) -> list[Record[H]]:
        """The ejected hosts that a call may probe."""
        return self.ejected

    @property
    def in_trouble(self) -> bool:
        """Whether most of the last calls have failed."""
        return self._trouble > 0.5

    def _wait(self, record: Record[H], now: float) -> None:
        """Sets the time of an ejected host's next probe."""
        settings = self._settings
        longest = settings.max_slow_wait if record.failed_slowly else settings.max_wait
        if self._hurried:
            longest = settings.hurried_wait
        seconds = min(longest, settings.first_wait * 2.0 ** min(record.strikes - 1, 9))
        jitter = settings.jitter * (2 * self._rng.random() - 1)
        record.probe_at = self.clock + seconds * (1 + jitter)
        record.deadline = now + settings.longest * (1 + abs(jitter))
        self._schedule()

    def hurry(self, hurried: bool) -> None:
        """Whether every ejected host is probed each `hurried_wait` from now on, however often that was in vain."""
        if hurried and not self._hurried:
            for record in self.ejected:
                record.probe_at = min(record.probe_at, self.clock + self._settings.hurried_wait)
            self._schedule()
        self._hurried = hurried

    def _schedule(self) -> None:
        self._next_probe = min((each.probe_at for each in self.probeable()), default=math.inf)
        self._next_deadline = min((each.deadline for each in self.probeable()), default=math.inf)

    def share(self, record: Record[H]) -> float:
        """The part of its share of calls that a host gets by now, 0 to 1 (slow start)."""
        ramp = self._settings.ramp
        return min(1.0, (self.clock - record.joined_at) / ramp) if ramp else 1.0

    # -- results

    def succeeded(self, record: Record[H]) -> None:
        """Counts a successful call to an eligible host."""
        self._trouble *= 0.9
        record.good += 1
        self._good += 1
        if record.failures or record.pain:
            record.failures, record.pain = 0, 0.0

    def failed(self, record: Record[H], slow: bool, source: int, now: float) -> None:
        """Counts a failed call to an eligible host, and ejects it if that is due.

        `slow` says that it failed by being slow; `source` is as in Policy.report.
        """
        self._trouble += 0.1 * (1 - self._trouble)
        record.bad += 1
        self._bad += 1
        record.bad_accuser, record.bad_lead = vote(record.bad_accuser, record.bad_lead, source)
        self._failed_in_a_row(record, slow, source)
        if record.failures > record.lead:
            self._judge(record, slow, now)
        self._doubt(record)

    def _doubt(self, record: Record[H]) -> None:
        if record.lead >= self._settings.doubted:
            self.accused = record

    def second_opinion(self, source: int) -> Record[H] | None:
        """The accused host if it should take a call of this source, so that another one finds out whether it fails."""
        record = self.accused
        if record is None:
            return None
        if not record.failures or record.lead < self._settings.doubted or record.ejected or not record.weight:
            self.accused = None
        elif source != record.accuser:
            share = self._settings.doubted_share / (record.scale * len(self.eligible))
            return record if self._rng.random() < share else None
        return None

    def failed_elsewhere(self, record: Record[H], slow: bool) -> None:
        """Counts a failed call to an eligible host only as one in a row, and as pain; another process has made it."""
        self._failed_in_a_row(record, slow, _ELSEWHERE)
        self._doubt(record)

    def _failed_in_a_row(self, record: Record[H], slow: bool, source: int) -> None:
        settings = self._settings
        if not record.failures:
            record.accuser, record.lead = 0, 0.0
        record.failures += 1
        record.accuser, record.lead = vote(record.accuser, record.lead, source)
        pain = settings.slow_pain if slow else settings.pain
        record.pain = pain * min(settings.max_pain_row, record.failures)

    def silent(self, record: Record[H]) -> None:
        """A call to the host takes much longer than calls do: it is as painful as one that has failed so."""
        record.pain = max(record.pain, self._settings.slow_pain)

    def probed(self, record: Record[H], failed: bool, slow: bool, now: float) -> None:
        """Takes the result of a call to an ejected host, and restores it if that is due."""
        if record.stale:  # a call from before it was ejected
            record.stale -= 1
        elif failed:
            record.strikes += self._settings.slow_strikes if slow else 1
            record.failed_slowly = slow
            self._wait(record, now)
        else:
            self._restore(record, "probe")

    def _judge(self, record: Record[H], slow: bool, now: float) -> None:
        """After a failure: ejects the host if it is this host that fails, and not all of them."""
        settings, eligible = self._settings, self.eligible
        if (
            not settings.enabled
            or len(eligible) < 2
            or 2 * sum(each.failures > 0 for each in eligible) > len(eligible) + 1
        ):
            return
        good, bad = self._good - record.good, self._bad - record.bad
        others = bad / (good + bad + settings.prior)
        believed = self._believed(record.bad, record.bad_lead)
        share = believed / (record.good + believed + settings.prior)
        failures = self._believed(record.failures, record.lead)
        in_a_row = failures >= settings.in_a_row and others**failures < settings.chance
        if settings.enabled and (in_a_row or share > settings.factor * others + settings.excess):
            self._eject(record, slow, "failures in a row" if in_a_row else "failures", others, now)

    def _believed(self, failures: float, lead: float) -> float:
        """How many failures count, of which one source has reported so many more than all others: theirs and as many
        of its own; theirs alone where it is doubted."""
        return (failures - lead) / (2 if lead >= self._settings.doubted else 1)

    def _eject(self, record: Record[H], slow: bool, reason: str, others: float, now: float) -> None:
        settings = self._settings
        if self.clock - record.joined_at > settings.forgiven:
            record.strikes = 0
        record.strikes += settings.slow_strikes if slow else 1
        record.blamed, record.failed_slowly = True, slow
        calls = f"{record.bad:.0f} of {record.good + record.bad:.0f} recent calls failed"
        record.evidence = calls if record.bad else ""
        self._set_aside(record)
        self._wait(record, now)
        self._changes.append(
            StateChange(
                record.host,
                HostState.EJECTED,
                reason,
                f"{record.failures} failed in a row, {record.bad:.0f} of {record.good + record.bad:.0f} recent calls, "
                f"the others' share {others:.1%}; {self._until_probe(record)}",
            )
        )

    def _set_aside(self, record: Record[H]) -> None:
        record.ejected, record.stale = True, record.in_flight
        self.eligible.remove(record)
        self.ejected.append(record)
        self._good -= record.good
        self._bad -= record.bad
        self.version += 1

    def _until_probe(self, record: Record[H]) -> str:
        return f"probed in {max(0.0, record.probe_at - self.clock):.0f} s"

    def _restore(self, record: Record[H], reason: str) -> None:
        record.failures, record.pain, record.joined_at = 0, 0.0, self.clock
        self._take_back(record)
        evidence = f"full share in {self._settings.ramp:g} s"
        self._changes.append(StateChange(record.host, HostState.HEALTHY, reason, evidence))

    def _take_back(self, record: Record[H]) -> None:
        record.ejected = record.blamed = False
        self.ejected.remove(record)
        self._good += record.good
        self._bad += record.bad
        self._schedule()
        self.add(record)

    # -- time

    def sweep(self) -> float:
        """Lets evidence decay; called about once a second. Returns the seconds of the module's clock that passed."""
        passed = self.clock - self._swept
        if passed:
            self._swept = self.clock
            keep, soothe = math.exp(-passed / self._settings.decay), math.exp(-passed / self._settings.pain_decay)
            self._good = self._bad = 0.0
            for records in (self.eligible, self.ejected):
                for record in records:
                    record.good *= keep
                    if record.bad:
                        record.bad *= keep
                        record.bad_lead *= keep
                    if record.pain:
                        record.pain = record.pain * soothe if record.pain > 0.2 else 0.0
            for record in self.eligible:
                self._good += record.good
                self._bad += record.bad
        return passed

    def take_changes(self) -> Iterable[StateChange[H]]:
        """The changes of state since the last take."""
        changes, self._changes = self._changes, []
        return changes

    # -- calls that were gathered

    def calls_passed(self, calls: int, now: float) -> None:
        """Lets the module's clock go on for calls that were made since the last one, as `next_call` does for one."""
        step, most = max(0.0, now - self._last), self._step * calls
        if step > most + self._settings.idle and self.clock < self._warm_at:
            self._warm_up(step - most)
        self.clock += min(step, most)
        self._last = max(now, self._last)
        self._since_probe += calls

    def succeeded_often(self, record: Record[H], calls: int, before_failure: bool) -> None:
        """Counts successful calls to an eligible host, as `succeeded` does one; failures later than they stay."""
        self._trouble *= 0.9 ** min(calls, 1000)
        record.good += calls
        self._good += calls
        if not before_failure:
            record.failures, record.pain = 0, 0.0

    def quiet_for(self) -> float:
        """Seconds, at least, in which no ejected host is to be probed; 0 if one may be due."""
        if not self.ejected:
            return math.inf
        if self.in_trouble:
            return 0.0
        return max(0.0, min(self._next_probe - self.clock, self._next_deadline - self._last))
