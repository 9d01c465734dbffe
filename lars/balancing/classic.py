"""The rules of the C++ Lars, for fleets that must behave as it does (docs/design/balancing.md, classic).

Hosts take turns, whatever their weights; those that are drained (weight 0) take no calls while others have weight.
Virtual counts of successes and failures decide when a host is ejected; an ejected one gets every (probe_num + 1)th call
until enough of them succeed, or until its time is over. Agrees with src/loadbalance of the C++ Lars but for drained
hosts, and for one thing: a failure weighs by its cost, so that a host that times out is ejected as fast as one that
refuses connections.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lars.balancing.gathered import Gathered
from lars.balancing.host import H, HostExplanation, HostState, HostView, StateChange
from lars.balancing.policy import Policy
from lars.balancing.rotation import Rotation
from lars.host_condition import Condition


@dataclass(frozen=True, slots=True)
class ClassicSettings:
    """The numbers of the rules; names and defaults are those of the C++ [loadbalance] section."""

    probe_num: int = 10
    init_succ_cnt: int = 180
    init_err_cnt: int = 5
    err_rate: float = 0.1
    succ_rate: float = 0.5
    contin_err_limit: int = 15
    contin_succ_limit: int = 15
    window_err_rate: float = 0.7
    idle_timeout: float = 15
    overload_timeout: float = 15


MAX_FAILURE_WEIGHT = 50
"""Virtual failures that one failed call counts as, at most, however long it took."""


def failure_weight(cost: float) -> int:
    """Virtual failures that a failed call counts as: one for each whole tenth of a second, 1 to MAX_FAILURE_WEIGHT."""
    return min(MAX_FAILURE_WEIGHT, max(1, round(cost * 1000) // 100))


class _Record:
    """What the rules know of one host.

    vsucc and verr are virtual counts, which decide; rsucc and rerr the real ones of this window. While it is ejected,
    `decided` holds calls, failures and failures in a row of before that: the counts themselves start anew. While it is
    drained, nothing is counted and decided, and it is in no rotation.
    """

    __slots__ = (
        "contin_err",
        "contin_succ",
        "decided",
        "drained",
        "overloaded",
        "rerr",
        "reset_at",
        "rsucc",
        "verr",
        "vsucc",
    )

    def __init__(self) -> None:
        self.drained = self.overloaded = False
        self.decided: tuple[int, int, int] | None = None
        self.vsucc = self.verr = self.rsucc = self.rerr = self.contin_succ = self.contin_err = 0
        self.reset_at = 0.0

    def reset(self, vsucc: int, verr: int, now: float) -> None:
        self.vsucc, self.verr = vsucc, verr
        self.rsucc = self.rerr = self.contin_succ = self.contin_err = 0
        self.reset_at = now

    def counts(self) -> tuple[int, int, int]:
        """Calls and failures of this window, and failures in a row."""
        return self.rsucc + self.rerr, self.rerr, self.contin_err

    def __str__(self) -> str:
        return (
            f"vsucc {self.vsucc} verr {self.verr}, window {self.rsucc} ok {self.rerr} failed, "
            f"in a row {self.contin_succ} ok {self.contin_err} failed"
        )


class Classic(Policy[H]):
    """Hosts in two rotations: idle ones take calls, overloaded ones take probes.

    pick and report cost the same for 3 hosts and for 4,000, but for the first pick after a change of state.

    Args:
        settings: the numbers of the rules.
        rng: draws the host that has the first turn, so that agents do not all start with the same one.
    """

    wants_times = False  # as in the C++ Lars, a failure of unknown cost counts as one

    __slots__ = ("_changes", "_hosts", "_idle", "_overloaded", "_rng", "_settings", "_since_probe", "_soonest")

    def __init__(self, settings: ClassicSettings, rng: random.Random) -> None:
        super().__init__()
        self._settings = settings
        self._rng = rng
        self._soonest = min(settings.idle_timeout, settings.overload_timeout)
        self._hosts: tuple[H, ...] = ()
        self._idle: Rotation[H] = Rotation()
        self._overloaded: Rotation[H] = Rotation()
        self._since_probe = 0
        self._changes: list[StateChange[H]] = []

    def pick(self, key: int, now: float, source: int = 0) -> H | None:
        """The next idle host, each (probe_num + 1)th time the next overloaded one; None where there is none of these.

        The key makes no difference.
        """
        if self._overloaded.size:
            self._since_probe += 1
            if self._since_probe > self._settings.probe_num:
                self._since_probe = 0
                return self._overloaded.next()
        return self._idle.next() if self._idle.size else None

    def report(self, host: H, failed: bool, cost: float, now: float, source: int = 0) -> None:
        """The source makes no difference, as in the C++ Lars."""
        record: _Record = host.record
        if record.drained:
            return
        if failed:
            self._failed(host, record, failure_weight(cost), now)
            return
        record.vsucc += 1
        record.rsucc += 1
        record.contin_succ += 1
        record.contin_err = 0
        if record.overloaded:
            settings = self._settings
            if (
                record.vsucc / (record.vsucc + record.verr) > settings.succ_rate
                or record.contin_succ >= settings.contin_succ_limit
            ):
                self._enter_idle(host, record, "successes", now)
                return
        if now - record.reset_at >= self._soonest:
            self._check_window(host, record, now)

    def _failed(self, host: H, record: _Record, weight: int, now: float) -> None:
        record.verr += weight
        record.rerr += 1
        record.contin_err += 1
        record.contin_succ = 0
        if not record.overloaded:
            settings = self._settings
            if (
                record.verr / (record.vsucc + record.verr) > settings.err_rate
                or record.contin_err >= settings.contin_err_limit
            ):
                self._enter_overloaded(host, record, "errors", now)
                return
        self._check_window(host, record, now)

    def sweep(self, now: float) -> list[StateChange[H]]:
        """Starts new windows and ends expired overloads (docs/design/balancing.md, timers)."""
        for host in self._hosts:
            self._check_window(host, host.record, now)
        changes, self._changes = self._changes, []
        return changes

    def _check_window(self, host: H, record: _Record, now: float) -> None:
        settings = self._settings
        age = now - record.reset_at
        if record.drained:
            return
        if record.overloaded:
            if age >= settings.overload_timeout:
                self._enter_idle(host, record, "timeout", now)
        elif age >= settings.idle_timeout:
            calls = record.rsucc + record.rerr
            if calls and record.rerr / calls >= settings.window_err_rate:
                self._enter_overloaded(host, record, "window", now)
            else:
                record.reset(settings.init_succ_cnt, 0, now)

    def rebuild(self, hosts: Iterable[H], now: float) -> None:
        self.revision += 1
        wanted = dict.fromkeys(hosts)
        before = dict.fromkeys(self._hosts)
        for host in before:
            if host not in wanted:
                if not host.record.drained:
                    self._rotation(host).remove(host)
                host.record = None
        new = [host for host in wanted if host not in before]
        for host in new:
            host.record = _Record()
            host.record.reset(self._settings.init_succ_cnt, 0, now)
            host.record.drained = bool(before)  # until it is added to a rotation
        if not before:
            self._idle = Rotation(new, start=int(self._rng.random() * len(new)))
        self._hosts = (*(host for host in before if host in wanted), *new)
        self._drain()

    def _rotation(self, host: H) -> Rotation[H]:
        return self._overloaded if host.record.overloaded else self._idle

    def _drain(self) -> None:
        """Takes the hosts out of their rotations whose weight is 0, if others have weight, and the rest in."""
        everywhere = not any(host.weight for host in self._hosts)
        for host in self._hosts:
            record: _Record = host.record
            drained = not (host.weight or everywhere)
            if drained == record.drained:
                continue
            record.drained = drained
            if drained:
                self._rotation(host).remove(host)
            else:
                self._rotation(host).add(host)

    def carry_over(self, ejected: Iterable[H], now: float) -> None:
        for host in ejected:
            record: _Record = host.record
            if not record.drained and self._idle.size > 1:
                self._idle.remove(host)
                self._overloaded.add(host)
                record.overloaded, record.decided = True, record.counts()
                record.reset(0, self._settings.init_err_cnt, record.reset_at)

    @property
    def ejected(self) -> int:
        return self._overloaded.size

    def states(self) -> Mapping[H, HostState]:
        healthy, ejected = HostState.HEALTHY, HostState.EJECTED
        return {host: ejected if host.record.overloaded else healthy for host in self._hosts}

    def views(self, healthy: bool = True) -> Iterator[HostView[H]]:
        for host in self._hosts:
            record: _Record = host.record
            if healthy or record.overloaded or record.drained:
                condition, reason = _seen(record)
                yield HostView(host, condition, reason, 0.0)

    def explain(self, now: float, first: int = 0, most: int | None = None) -> list[HostExplanation]:
        every = self._settings.probe_num + 1
        probes = 1 / every if self._overloaded.size else 0.0
        stop = None if most is None else first + most
        found = []
        for host in islice(self._hosts, first, stop):
            record: _Record = host.record
            calls, failures, in_a_row = record.decided or record.counts()
            left = self._settings.overload_timeout - (now - record.reset_at)
            condition, reason = _seen(record)
            found.append(
                HostExplanation(
                    address=host.address,
                    state=HostState.EJECTED if record.overloaded else HostState.HEALTHY,
                    share=self._share(record, probes),
                    calls=calls,
                    failures=failures,
                    failures_in_a_row=in_a_row,
                    in_flight=None,
                    latency=None,
                    next_probe=None,
                    why="drained: its weight is 0"
                    if record.drained
                    else f"failed: 1 call in {every} is a probe; restored in {max(0.0, left):.0f} s"
                    if record.overloaded
                    else "takes its turn",
                    condition=condition,
                    reason=reason,
                )
            )
        return found

    def _share(self, record: _Record, probes: float) -> float:
        if record.drained:
            return 0.0
        return probes / self._overloaded.size if record.overloaded else (1 - probes) / self._idle.size

    def _enter_idle(self, host: H, record: _Record, reason: str, now: float) -> None:
        self._note(host, HostState.HEALTHY, reason)
        self._overloaded.remove(host)
        self._idle.add(host)
        record.overloaded, record.decided = False, None
        record.reset(self._settings.init_succ_cnt, 0, now)

    def _enter_overloaded(self, host: H, record: _Record, reason: str, now: float) -> None:
        self._note(host, HostState.EJECTED, reason)
        self._idle.remove(host)
        self._overloaded.add(host)
        record.overloaded, record.decided = True, record.counts()
        record.reset(0, self._settings.init_err_cnt, now)

    def _note(self, host: H, state: HostState, reason: str) -> None:
        self.revision += 1
        self._changes.append(StateChange(host, state, reason, str(host.record)))

    def report_gathered(self, host: H, gathered: Gathered, now: float, before_failure: bool = False) -> None:
        """Those of an overloaded host say nothing: they were made before it was, and clients report probes singly."""
        record: _Record = host.record
        calls = 0 if record.overloaded or record.drained else gathered.calls
        while calls > 0:
            was_idle = not record.overloaded
            self.report(host, False, 0.0, now)
            calls -= 1
            if was_idle and not record.overloaded:  # its window is young: only the counts can change
                record.vsucc += calls
                record.rsucc += calls
                record.contin_succ += calls
                return


def _seen(record: _Record) -> tuple[Condition, str]:
    """What people call the state of a host, and why it is in it."""
    if record.drained:
        return Condition.DRAINING, ""
    if not record.overloaded:
        return Condition.HEALTHY, ""
    calls, failures, _in_a_row = record.decided or (0, 0, 0)
    return Condition.EJECTED, f"{failures} of {calls} recent calls failed" if failures else ""
