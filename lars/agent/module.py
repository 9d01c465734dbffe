"""One module of the agent: its route and how old that is, its policy, and the calls to report to lars-reporter.

Times are in seconds, monotonic.
"""

from collections.abc import Iterable, Mapping
from math import inf

from lars.agent.encodings import answer_fields
from lars.agent.route_state import RouteState
from lars.agent.unrouted_counts import UnroutedCounts
from lars.agent.watchers import Address, Watchers
from lars.balancing.gathered import Gathered
from lars.balancing.host import Host, HostExplanation, HostState, StateChange
from lars.balancing.policy import Policy
from lars.host_condition import Condition
from lars.host_record import DEFAULT_WEIGHT
from lars.module_settings import Value
from lars.route import UNSTEERED, HostAddress, ModuleId, Steering

SHARED = 10.0
"""Seconds for which a process must be the only one that reports a module's calls before it ejects hosts alone."""


TIMED_EVERY = 0.01
"""Seconds from one timed call of a host to the next, on average and at least: more calls say little more."""

WHOLE_REPORT = 60.0
"""Seconds after which all hosts are reported again, called or not: a third of the time after which one is stale
(docs/design/reporter.md, what is stored)."""

LONGEST_TIMED = 10.0
"""Seconds after which a call that is timed and has not been reported makes room for another one."""


class RoutedHost(Host):
    """A host of a module's route.

    Attributes:
        module: the module that it serves.
        asker: the port of the process that asked for the call that is timed now; 0 while none is.
        asked_at: when it asked.
        changed_at: when its state, as people see it, last changed.
        viewed_succ, viewed_err: its calls when lars-reporter was last sent how many it had.
        answer: the encoded fields of a GetHostResponse that names it.
        succ, err: its calls since they were last taken for lars-reporter.
        succ_before, err_before: its calls before that, since it joined the route.
    """

    __slots__ = (
        "_other_report",
        "_report",
        "answer",
        "asked_at",
        "asker",
        "changed_at",
        "err",
        "err_before",
        "module",
        "succ",
        "succ_before",
        "viewed_err",
        "viewed_succ",
    )

    def __init__(self, address: HostAddress, module: "Module", now: float = 0.0) -> None:
        super().__init__(address)
        self.module = module
        self.changed_at = now
        self.answer = answer_fields(module.id, address)
        # Two slots rather than a tuple, which would take 6 MB for 100,000 hosts.
        self._report: bytes | None = None
        self._other_report: bytes | None = None
        self.succ = self.err = self.succ_before = self.err_before = self.asker = 0
        self.viewed_succ = self.viewed_err = 0
        self.asked_at = 0.0

    def remember_report(self, datagram: bytes) -> bool:
        """Adds a datagram to `reports`; False if it is there already, or two others are."""
        if datagram in (self._report, self._other_report):
            return False
        if self._report is None:
            self._report = datagram
        elif self._other_report is None:
            self._other_report = datagram  # C++ clients write an address as a negative number
        else:
            return False
        return True

    @property
    def reports(self) -> tuple[bytes, ...]:
        """Whole datagrams that report a success of the host, as they have come; two at most."""
        return tuple(report for report in (self._report, self._other_report) if report is not None)

    def take_calls(self) -> tuple[int, int]:
        """Returns successes and failures since the last take."""
        succ, err = self.succ, self.err
        self.succ_before += succ
        self.err_before += err
        self.succ = self.err = 0
        return succ, err


class ViewedModule:
    """What lars-reporter has been sent of a module (lars.agent.views, which alone uses it).

    Attributes:
        connection: the number of the connection on which it was last sent all.
        all_at, calls_at: when it was last sent all, and the numbers of calls.
        revision, version: those that it was sent.
        states: the hosts that were not healthy, with condition and reason.
    """

    __slots__ = ("all_at", "calls_at", "connection", "revision", "states", "version")

    def __init__(self) -> None:
        self.connection = self.version = 0
        self.revision = -1
        self.all_at = self.calls_at = -inf
        self.states: dict[HostAddress, tuple[Condition, str]] = {}


class Module:
    """A module that a business process has asked for."""

    __slots__ = (
        "_departed_err",
        "_departed_succ",
        "_next_timed",
        "_policy",
        "_reported",
        "_reported_whole_at",
        "_route_state",
        "_shared_until",
        "asked_at",
        "cached",
        "check_settings",
        "effective",
        "fresh_until",
        "hosts",
        "id",
        "refused",
        "reporter",
        "routed_at",
        "settings",
        "subscribed",
        "unrouted",
        "used_at",
        "version",
        "viewed",
        "watchers",
    )

    def __init__(self, module: ModuleId, policy: Policy[RoutedHost], now: float) -> None:
        self.id = module
        self.hosts: dict[HostAddress, RoutedHost] = {}
        """The route; hosts that have been there for longer come first."""
        self.unrouted = UnroutedCounts()
        self.used_at = now
        """When it was last asked for."""
        self.asked_at: float | None = None
        """When lars-dns was asked for the route, if the answer is still to come."""
        self.fresh_until = now
        """When lars-dns is to be asked again."""
        self.routed_at: float | None = None
        """When lars-dns last sent the route."""
        self.subscribed = False
        """Whether lars-dns pushes changes of the route and understands UnsubscribeRequest."""
        self.version = 0
        """The version of the route, as lars-dns sent it; 0 if it does not say."""
        self.viewed: ViewedModule | None = None
        """What lars-reporter has been sent of the hosts' states; None before the first."""
        self.settings = ""
        """The text of its settings, as lars-dns sent it."""
        self.effective: Mapping[str, Value] | None = None
        """All settings, with defaults, as they were last set; None before."""
        self.cached = True
        """Whether clients may pick hosts by themselves."""
        self.reporter = 0
        """The port that the last report of its calls came from; 0 if that is not known."""
        self.check_settings: object = None
        """The settings by which its health checks were set; for lars.agent.health alone."""
        self.watchers: Watchers | None = None
        """The processes that choose its hosts by themselves; None before the first."""
        self.refused = 0
        """Calls for which no host was given although the route has some."""
        self._departed_succ = self._departed_err = 0  # calls of hosts while they were in the route
        self._shared_until = now
        self._policy = policy
        self._next_timed = now if policy.wants_times else inf
        self._reported = policy.revision  # the states that lars-reporter has been given
        self._reported_whole_at = -inf
        self._route_state: RouteState | None = None

    def used(self, now: float) -> None:
        """Notes that a business process has asked for the module."""
        self.used_at = now

    def heard(self, source: int, now: float) -> None:
        """Notes that another process than before reports its calls."""
        self._shared_until = now + SHARED
        self.reporter = source

    def called(self, calls: int, now: float) -> None:
        """Notes calls whose hosts a client has picked by itself."""
        self._policy.calls_passed(calls, now)

    def watch(self, address: Address, seconds: float, now: float) -> None:
        """Notes that the process at an address chooses hosts by itself, and hears of failures for so many seconds."""
        if self.watchers is None:
            self.watchers = Watchers()
        self.watchers.watch(address, seconds, now)

    def asked(self, now: float) -> None:
        """Notes that lars-dns is asked for the route."""
        self.asked_at = now

    def pick(self, key: int, now: float, source: int = 0) -> RoutedHost | None:
        """The host for a call, or None when the policy lets none be made.

        Some calls are timed, one of each host at a time, for clients that do not report what a call cost: from here to
        the report of the same process (docs/design/agent.md, timing calls).

        Args:
            key: as in Policy.pick.
            now: the time.
            source: the port that the request came from; 0 if that is not known.
        """
        self.used_at = now
        host = self._policy.pick(key, now, source)
        if host is None:
            return None
        if host.asker:
            if host.asker == source:  # two calls at once, whose reports cannot be told apart; or one without a report
                host.asker = 0
            elif now - host.asked_at > LONGEST_TIMED:
                host.asker, host.asked_at = source, now
        elif now >= self._next_timed:
            host.asker, host.asked_at = source, now
            self._next_timed = now + TIMED_EVERY / len(self.hosts)
        return host

    def _timed(self, host: RoutedHost, now: float) -> float:
        """Seconds that the reported call took if it is the one that is timed; else 0."""
        if host.asker != self.reporter:
            return 0.0
        asked_at = host.asked_at
        host.asker, host.asked_at = 0, 0.0
        return now - asked_at

    def report(self, address: HostAddress, failed: bool, cost: float, now: float) -> RoutedHost | None:
        """Counts one call of `cost` seconds, 0 where unknown; None if the host is not in the route."""
        host = self.hosts.get(address)
        if host is None:
            self.unrouted.count(address, failed)
            return None
        source = self.reporter if now < self._shared_until else 0
        if host.asker:
            timed = self._timed(host, now)
            cost = cost or timed
        self._policy.report(host, failed, cost, now, source)
        if failed:
            host.err += 1
        else:
            host.succ += 1
        return host

    def slow(self) -> dict[HostAddress, float]:
        """The hosts of which one call counts as more than one, because they are slow, and as how many."""
        return {host.address: penalty for host, penalty in self._policy.slow().items()}

    def silent(self, address: HostAddress) -> None:
        """Notes that a host has not answered a client for much longer than calls take."""
        host = self.hosts.get(address)
        if host is not None:
            self._policy.silent(host)

    def report_success(self, host: RoutedHost, now: float) -> None:
        """Counts one successful call, of unknown cost, to a host of the route."""
        self.used_at = now
        host.succ += 1
        self._policy.report(host, False, self._timed(host, now) if host.asker else 0.0, now)

    def report_gathered(
        self, address: HostAddress, gathered: Gathered, now: float, before_failure: bool = False
    ) -> bool:
        """Counts successful calls that a client has gathered; False if the host is not in the route."""
        calls = gathered.calls
        host = self.hosts.get(address)
        if host is None:
            self.unrouted.count(address, False, calls)
            return False
        self._policy.report_gathered(host, gathered, now, before_failure)
        host.succ += calls
        return True

    def take_route(
        self,
        addresses: Iterable[HostAddress],
        fresh_until: float,
        subscribed: bool,
        now: float,
        steering: Steering = UNSTEERED,
        version: int = 0,
    ) -> list[RoutedHost]:
        """Takes a route from lars-dns. Returns the hosts that are no longer in it; their calls are still reported."""
        self.asked_at = None
        self.version = version
        self.routed_at = now
        self.fresh_until = fresh_until
        self.subscribed = subscribed
        return self.restore(addresses, now, steering)

    def restore(self, addresses: Iterable[HostAddress], now: float, steering: Steering = UNSTEERED) -> list[RoutedHost]:
        """Takes a route that may be old, as a saved one is. Returns the hosts that are no longer in it."""
        before = self.hosts
        wanted = dict.fromkeys(addresses)
        kept = {address: host for address, host in before.items() if address in wanted}
        self.hosts = kept | {address: RoutedHost(address, self, now) for address in wanted if address not in kept}
        self._steer(steering, now)
        self._policy.rebuild(self.hosts.values(), now)
        gone = [host for address, host in before.items() if address not in kept]
        for host in gone:
            if host.succ or host.err:
                self.unrouted.add(host.address, *host.take_calls())
            self._departed_succ += host.succ_before
            self._departed_err += host.err_before
        return gone

    def _steer(self, steering: Steering, now: float) -> None:
        """Gives the hosts their weights and zones."""
        self.settings = steering.settings
        weights, zones = steering.weights, steering.zones
        for address, host in self.hosts.items():
            if bool(host.weight) != bool(weights.get(address, DEFAULT_WEIGHT)):
                host.changed_at = now
            host.weight, host.zone = weights.get(address, DEFAULT_WEIGHT), zones.get(address, "")

    @property
    def steering(self) -> Steering:
        """What an operator has set for the route."""
        hosts = self.hosts
        weights = {address: host.weight for address, host in hosts.items() if host.weight != DEFAULT_WEIGHT}
        zones = {address: host.zone for address, host in hosts.items() if host.zone}
        return Steering(weights, zones, self.settings) if weights or zones or self.settings else UNSTEERED

    def use_policy(self, policy: Policy[RoutedHost], cached: bool, now: float) -> None:
        """Goes on with a policy, which may be the one it has; hosts that another one has ejected stay so."""
        if cached != self.cached:
            self.cached, self._route_state = cached, None
        if policy is self._policy:
            return
        before = self._policy
        ejected = [host for host, state in before.states().items() if state is HostState.EJECTED]
        before.rebuild((), now)
        policy.rebuild(self.hosts.values(), now)
        policy.carry_over(ejected, now)
        policy.revision += before.revision  # what was made by the other is old
        self._policy = policy
        self._next_timed = now if policy.wants_times else inf

    def sweep(self, now: float) -> list[StateChange[RoutedHost]]:
        """Runs the policy's timers. Returns the changes of state since the last sweep."""
        changes = self._policy.sweep(now)
        for change in changes:
            change.host.changed_at = now
        return changes

    @property
    def is_empty(self) -> bool:
        """Whether lars-dns has answered that the module has no hosts."""
        return self.routed_at is not None and not self.hosts

    @property
    def has_calls(self) -> bool:
        """Whether there are calls that have not been taken for lars-reporter."""
        return bool(self.unrouted) or self._host_has_calls

    @property
    def _host_has_calls(self) -> bool:
        return any(host.succ or host.err for host in self.hosts.values())

    @property
    def calls(self) -> tuple[int, int]:
        """Successes and failures of all hosts of the route, also of former ones while they were in it."""
        hosts = self.hosts.values()
        succ = self._departed_succ + sum(host.succ + host.succ_before for host in hosts)
        return succ, self._departed_err + sum(host.err + host.err_before for host in hosts)

    @property
    def revision(self) -> int:
        """Another number whenever a host or its state may have changed."""
        return self._policy.revision

    @property
    def ejected(self) -> int:
        """The number of hosts that are ejected."""
        return self._policy.ejected

    @property
    def policy(self) -> Policy[RoutedHost]:
        """The policy, for those who set it and for health checks."""
        return self._policy

    @property
    def policy_name(self) -> str:
        """The name of the policy."""
        return self._policy.name

    def explain(self, now: float, first: int, most: int) -> list[HostExplanation]:
        """How the policy would choose now, of `most` hosts from number `first` on."""
        return self._policy.explain(now, first, most)

    def states(self) -> dict[HostAddress, HostState]:
        """The state of each host, in the order of `hosts`."""
        return {host.address: state for host, state in self._policy.states().items()}

    def route_state(self) -> RouteState:
        """What clients may pick from now; made anew only when a host or a state has changed."""
        revision = self._policy.revision
        if self._route_state is None or self._route_state.revision != revision:
            states = self._policy.states()
            self._route_state = RouteState.of(
                self.id,
                self.policy_name,
                {host.address: state for host, state in states.items()},
                self._policy.weights(),
                revision,
                ask=not self.cached,
            )
        return self._route_state

    def take_results(self, now: float, with_unrouted: bool = True) -> dict[HostAddress, tuple[int, int, bool]] | None:
        """Successes, failures and ejection by host since the last take; None if nothing happened.

        Holds the hosts that were called or are not healthy; all of the route if a host or a state has changed, or if
        WHOLE_REPORT seconds have passed since they all were reported (docs/design/agent.md, reports). With
        `with_unrouted`, also those that were called and are not in the route. While the last ones of these wait to be
        sent, they stay in `unrouted`, where their number is bounded.
        """
        revision = self._policy.revision
        unrouted = self.unrouted.take() if with_unrouted else {}
        if not (unrouted or self._host_has_calls or revision != self._reported):
            return None
        whole = revision != self._reported or now - self._reported_whole_at >= WHOLE_REPORT
        if whole:
            self._reported_whole_at = now
        self._reported = revision
        states = self.states()
        results = {address: (*counts, False) for address, counts in unrouted.items()}
        for address, host in self.hosts.items():
            healthy = states[address] is HostState.HEALTHY
            if whole or host.succ or host.err or not healthy or address in results:
                before = results.get(address, (0, 0, False))  # calls from before it left the route and came back
                succ, err = host.take_calls()
                results[address] = (before[0] + succ, before[1] + err, not healthy)
        return results or None
