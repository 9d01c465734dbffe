"""The policies that eject: one picker among the eligible hosts, and the rules that say which hosts these are.

See docs/design/balancing.md, ejecting policies.
"""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from lars.balancing.checked_ejection import CheckedEjection
from lars.balancing.departed import Departed
from lars.balancing.ejection import EjectionSettings
from lars.balancing.explanation import Explainer, state_of, view_of
from lars.balancing.gathered import Gathered
from lars.balancing.host import H, HostExplanation, HostState, HostView, StateChange
from lars.balancing.latency import Latency, LatencySettings
from lars.balancing.locality import Locality, ZonedHost, effective_weights
from lars.balancing.picker import Picker, load
from lars.balancing.policy import Policy
from lars.balancing.record import Record
from lars.balancing.shedding import Shedding, SheddingSettings


@dataclass(frozen=True, slots=True)
class EjectingSettings:
    """The numbers of all rules.

    Attributes:
        forget: seconds in which calls in flight are forgotten where callers never report, by a share of them each
            second.
        second_draws: hosts drawn besides one that has just failed, or that is not due its share yet.
        least_share: the share of its calls that a host gets from the start of its ramp.
    """

    ejection: EjectionSettings = field(default_factory=EjectionSettings)
    latency: LatencySettings = field(default_factory=LatencySettings)
    shedding: SheddingSettings = field(default_factory=SheddingSettings)
    forget: float = 2.0
    second_draws: int = 3
    least_share: float = 0.05


DEFAULTS = EjectingSettings()


class EjectingPolicy(Policy[H]):
    """Picks by a picker; ejects hosts that fail alone; sheds load while most calls fail by being slow.

    Args:
        picker: picks among the eligible hosts.
        rng: for draws; a seeded one makes a run repeatable.
        settings: the numbers of the rules.
    """

    takes_checks = True

    __slots__ = (
        "_departed",
        "_ejection",
        "_hosts",
        "_latency",
        "_locality",
        "_picker",
        "_ramp",
        "_rebuilt",
        "_rng",
        "_settings",
        "_shedding",
        "_succeeded",
        "_taking",
    )

    def __init__(self, picker: Picker[H], rng: random.Random, settings: EjectingSettings | None = None) -> None:
        super().__init__()
        self._settings = settings = settings or DEFAULTS
        self._picker = picker
        self._rng = rng
        self._ejection: CheckedEjection[H] = CheckedEjection(settings.ejection, rng)
        self._latency = Latency(settings.latency)
        self._shedding = Shedding(settings.shedding)
        self._ramp = settings.ejection.ramp
        self._hosts: tuple[H, ...] = ()
        self._departed: Departed[H] | None = None  # made when it is needed: most modules need none
        self._succeeded = 0  # calls since the last sweep
        self._rebuilt = -1  # the version of the eligible hosts that the picker has
        self._locality: Locality | None = None
        self._taking: list[Record[H]] = self._ejection.eligible  # those that the picker has

    def pick(self, key: int, now: float, source: int = 0) -> H | None:
        admitted = self._shedding.admitted
        if admitted < 1 and self._rng.random() > admitted:
            return None
        ejection = self._ejection
        probed = ejection.next_call(now)
        if probed is not None:
            probed.in_flight += 1
            return probed.host
        if ejection.version != self._rebuilt:
            if not ejection.eligible:
                return None
            self._rebuild_picker()
        if ejection.accused is not None and (doubted := ejection.second_opinion(source)) is not None:
            doubted.in_flight += 1
            return doubted.host
        record = self._picker.pick(key)
        if record.pain or ejection.clock - record.joined_at < self._ramp:
            record = self._second_thoughts(record)
        record.in_flight += 1
        return record.host

    def _rebuild_picker(self) -> None:
        taking = self._taking = self._weighed()
        mean = sum(record.weight for record in taking) / len(taking)
        for record in taking:
            record.scale = mean / record.weight if record.weight != mean else 1.0
        self._picker.rebuild(taking)
        self._rebuilt = self._ejection.version

    def _weighed(self) -> list[Record[H]]:
        """The eligible hosts that take turns, once each has the weight by which it does."""
        eligible, locality = self._ejection.eligible, self._locality
        if locality is None:
            return eligible
        ejection = self._ejection
        records: list[Record[H]] = [host.record for host in self._hosts]
        zoned = [
            ZonedHost(
                record.routed,
                record.host.zone,
                takes=bool(record.routed) and not record.ejected,
                health=0.0 if record.unhealthy else max(self._settings.least_share, ejection.share(record)),
            )
            for record in records
        ]
        for record, weight in zip(records, effective_weights(zoned, locality), strict=True):
            record.weight = weight
        return [record for record in eligible if record.weight]

    def _current(self) -> list[Record[H]]:
        """The hosts that the next call will be picked from; what the picker has stays as it is until then."""
        return self._taking if self._rebuilt == self._ejection.version else self._weighed()

    def _second_thoughts(self, first: Record[H]) -> Record[H]:
        """Some more draws where the choice has just failed, or is not due its share yet."""
        draw = self._rng.random
        if not first.pain and draw() < max(self._settings.least_share, self._ejection.share(first)):
            return first
        best = self._cheapest_drawn(self._taking, first, first if first.pain else None)
        if self._locality is not None and (best or first).pain:  # the zone may be dying
            best = self._cheapest_drawn(self._ejection.eligible, first, best)
        return best or first

    def _cheapest_drawn(self, among: list[Record[H]], first: Record[H], best: Record[H] | None) -> Record[H] | None:
        ejection, draw = self._ejection, self._rng.random
        others = len(among) - 1
        for _ in range(self._settings.second_draws if others else 0):
            other = among[int(draw() * others)]
            if other is first:  # so that each of the others is as likely
                other = among[others]
            if ejection.clock - other.joined_at < self._ramp and draw() > ejection.share(other):
                continue
            if best is None or load(other) < load(best):
                best = other
        return best

    def report(self, host: H, failed: bool, cost: float, now: float, source: int = 0) -> None:
        record: Record[H] = host.record
        picked = record.in_flight > 0
        if picked:
            record.in_flight -= 1
        if cost and not failed:
            self._latency.learn(record, cost)
        if not record.routed:
            return  # a drained host, of which nothing is to be decided
        if not (failed or record.ejected):
            self._succeeded += 1
            self._ejection.succeeded(record)
            return
        slow = failed and self._latency.is_slow(cost)
        before = self._ejection.version
        if record.ejected:
            if picked or not failed:  # a client that picks by itself may have begun the call before
                self._ejection.probed(record, failed, slow, now)
        else:
            self._shedding.failed(slow)
            self._ejection.failed(record, slow, source, now)
        if before != self._ejection.version:
            self.revision += 1

    def sweep(self, now: float) -> list[StateChange[H]]:
        """Lets evidence decay, and decides on load shedding."""
        if self._departed is not None:
            self._departed.forget(now)
            if not self._departed:
                self._departed = None
        passed = self._ejection.sweep()
        if passed:
            if self._locality is not None and self._warming(passed):
                self._ejection.version += 1  # the zones' shares move on
                self.revision += 1
            latency = self._latency
            self._shedding.interval(self._succeeded, latency.recent, latency.usual)
            self._succeeded = 0
            self._ejection.hurry(self._shedding.admitted < 1)
            forget = passed / self._settings.forget
            for host in self._hosts:
                record: Record[H] = host.record
                if record.penalty > 1:
                    latency.decay(record, passed)
                if record.in_flight:
                    record.leak += record.in_flight * forget
                    if record.leak >= 1:
                        whole = int(record.leak)
                        record.leak -= whole
                        record.in_flight -= min(record.in_flight, whole)
                        record.stale = min(record.stale, record.in_flight)
        return list(self._ejection.take_changes())

    def _warming(self, passed: float) -> bool:
        """Whether an eligible host was in its slow start `passed` seconds ago."""
        since = self._ejection.clock - passed - self._ramp
        return any(record.joined_at > since for record in self._ejection.eligible)

    def rebuild(self, hosts: Iterable[H], now: float) -> None:
        self.revision += 1
        wanted = dict.fromkeys(hosts)
        before = dict.fromkeys(self._hosts)
        everywhere = not any(host.weight for host in wanted)  # drained hosts take calls where there are no others
        for host in before:
            if host not in wanted or not (host.weight or everywhere):
                self._leave(host.record, now)
            if host not in wanted:
                host.record = None
        # The first hosts have their share at once.
        joined_at = self._ejection.clock if before else -self._ramp
        new = [host for host in wanted if host not in before]
        for host in new:
            host.record = Record(host, joined_at)
        self._hosts = (*(host for host in before if host in wanted), *new)
        for host in self._hosts:
            record: Record[H] = host.record
            weight = host.weight or int(everywhere)
            if weight and not record.routed:
                self._join(record, now)
            if weight != record.routed:
                record.routed = record.weight = weight
                self._ejection.version += 1
        self._ejection.ensure_eligible()

    def use(self, picker: Picker[H], settings: EjectingSettings) -> None:
        """Goes on with another picker and by other numbers, with all that is known of the hosts."""
        if picker is not self._picker:
            self._picker = picker
            self._rebuilt = -1
        self._settings = settings
        self._ramp = settings.ejection.ramp
        self._ejection.use_settings(settings.ejection)
        self.revision += 1

    @property
    def picker(self) -> Picker[H]:
        """What picks among the eligible hosts."""
        return self._picker

    def carry_over(self, ejected: Iterable[H], now: float) -> None:
        for host in ejected:
            self._ejection.carry_over(host.record, now)
        self._ejection.take_changes()

    def _join(self, record: Record[H], now: float) -> None:
        """Takes a host into rotation, but one that left a short time ago while it was ejected stays so."""
        left = self._departed.take(record.host.address, now) if self._departed is not None else None
        if left is None:
            self._ejection.add(record)
        else:
            left_at, earlier = left
            self._ejection.add_ejected(record, earlier, now - left_at)

    def _leave(self, record: Record[H], now: float) -> None:
        """Takes a host out of rotation: it has left the route, or is drained."""
        if record.routed:
            if record.ejected:
                if self._departed is None:
                    self._departed = Departed(self._settings.ejection.remembered)
                self._departed.add(record, now)
            self._ejection.remove(record)
            record.ejected, record.failures, record.pain, record.routed, record.weight = False, 0, 0.0, 0, 0
            record.blamed, record.evidence, record.unhealthy, record.vouched = False, "", "", False

    @property
    def ejected(self) -> int:
        return len(self._ejection.ejected)

    def states(self) -> Mapping[H, HostState]:
        return {host: state_of(host.record) for host in self._hosts}

    def weights(self) -> list[int]:
        if self._locality is None:
            return super().weights()
        self._current()
        return [round(host.record.weight) or int(host.record.weight > 0) for host in self._hosts]

    def explain(self, now: float, first: int = 0, most: int | None = None) -> list[HostExplanation]:
        explainer = Explainer(
            self._ejection,
            self._picker,
            self._current(),
            admitted=self._shedding.admitted,
            recent=self._latency.recent,
            ramp=self._ramp,
            draws=self._settings.second_draws,
            least=self._settings.least_share,
        )
        stop = None if most is None else first + most
        return explainer.explain(host.record for host in islice(self._hosts, first, stop))

    def views(self, healthy: bool = True) -> Iterator[HostView[H]]:
        ejection, least = self._ejection, self._settings.least_share
        warm_since = ejection.clock - self._ramp
        for host in self._hosts:
            record: Record[H] = host.record
            if healthy or record.ejected or record.unhealthy or not record.routed or record.joined_at > warm_since:
                yield view_of(record, max(least, ejection.share(record)))

    def calls_passed(self, calls: int, now: float) -> None:
        self._ejection.calls_passed(calls, now)

    def slow(self) -> Mapping[H, float]:
        return {host: host.record.penalty for host in self._hosts if host.record.penalty > 1}

    def silent(self, host: H) -> None:
        if host.record.weight and not host.record.ejected:
            self._ejection.silent(host.record)

    def report_gathered(self, host: H, gathered: Gathered, now: float, before_failure: bool = False) -> None:
        """Whoever gathered them picked the hosts itself, and reports a probe as a call of its own.

        So they are none of the calls in flight here, and those of an ejected host were made before its ejection.
        """
        record: Record[H] = host.record
        if gathered.timed:
            self._latency.learn_mean(record, gathered.cost / gathered.timed, gathered.timed)
        if record.routed and not record.ejected:
            self._succeeded += gathered.calls
            self._ejection.succeeded_often(record, gathered.calls, before_failure)

    # -- zones and health checks

    def use_locality(self, zone: str, overprovisioning: float) -> None:
        locality = Locality(zone, overprovisioning) if zone else None
        if locality == self._locality:
            return
        self._locality = locality
        for host in self._hosts:
            host.record.weight = host.record.routed
        self._ejection.version += 1
        self.revision += 1

    def use_checks(self, gated: bool, panics: bool) -> None:
        if self._ejection.use_checks(gated, panics):
            self.revision += 1

    def end_checks(self) -> None:
        self._ejection.end_checks()
        self.revision += 1

    def doubtful(self) -> list[H]:
        return [record.host for record in self._ejection.doubtful()]

    def takes_calls(self, host: H) -> bool:
        record: Record[H] = host.record
        return not record.ejected

    def check_failed(self, host: H, what: str, evidence: str = "") -> None:
        record: Record[H] = host.record
        if record.routed:
            self._ejection.check_failed(record, what, evidence)
            self.revision += 1

    def check_passed(self, host: H) -> None:
        record: Record[H] = host.record
        if record.routed and (record.ejected or record.unhealthy):
            self._ejection.check_passed(record)
            self.revision += 1
