"""One module as the agent's shard knows it: its route, how old that is, its balancer, and what was reported."""

from collections.abc import Iterable

from lars.agent.balancer import Balancer, BalancerSettings, Host
from lars.agent.route_state import RouteState
from lars.agent.tally import Tally
from lars.route import HostAddress, ModuleId


class RoutedHost(Host):
    """A host of a module's route, and what the agent keeps with it.

    `answer` is all of a get_host's answer that names it but header and seq, `reports` the datagrams that report a
    success of it, both encoded. succ and err are its calls that the reporter has not been told of, succ_before and
    err_before those that it has: no reset of the balancer's window touches them.
    """

    __slots__ = ("answer", "err", "err_before", "module", "reports", "succ", "succ_before")

    def __init__(self, address: HostAddress, module: "Module") -> None:
        super().__init__(address)
        self.module = module
        self.answer: bytes | None = None
        self.reports: tuple[bytes, ...] = ()
        self.succ = self.err = self.succ_before = self.err_before = 0


class Module:
    """A module that somebody asked about. Times are in seconds, monotonic."""

    __slots__ = (
        "_route_state",
        "asked_at",
        "balancer",
        "fresh_until",
        "module",
        "reported_states",
        "routed_at",
        "subscribed",
        "tally",
        "used_at",
    )

    def __init__(self, module: ModuleId, settings: BalancerSettings, now: float) -> None:
        self.module = module
        self.balancer: Balancer[RoutedHost] = Balancer(settings, self._new_host)
        self.tally = Tally()
        self.used_at = now
        self.asked_at: float | None = None  # when dns was asked and has not answered since
        self.fresh_until = now  # when it is to be asked again
        self.routed_at: float | None = None  # when dns last sent the route
        self.subscribed = False  # whether a dns of ours pushes its changes, and can be told to stop
        self.reported_states: dict[HostAddress, bool] = {}
        self._route_state: RouteState | None = None

    def route_state(self) -> RouteState:
        """What clients may choose from now."""
        if self._route_state is None or self._route_state.revision != self.balancer.revision:
            self._route_state = RouteState.of(self.module, self.balancer)
        return self._route_state

    def _new_host(self, address: HostAddress) -> RoutedHost:
        return RoutedHost(address, self)

    def take_route(self, hosts: Iterable[HostAddress], fresh_until: float, now: float) -> list[RoutedHost]:
        """A route from dns; the hosts that have left with it, whose calls are still to be told."""
        self.asked_at = None
        self.routed_at = now
        self.fresh_until = fresh_until
        gone = self.balancer.update(hosts, now)
        for host in gone:
            if host.succ or host.err:
                self.tally.add(host.address, host.succ, host.err)
        return gone

    def report(self, address: HostAddress, failed: bool, cost_ms: int, now: float) -> RoutedHost | None:
        """Counts one call; None if the host is not in the route, whose calls are counted apart."""
        if not self.balancer.report(address, failed, cost_ms, now):
            self.tally.count(address, failed)
            return None
        host = self.balancer.hosts[address]
        if failed:
            host.err += 1
        else:
            host.succ += 1
        return host

    def succeeded(self, address: HostAddress, calls: int, now: float) -> bool:
        """Counts successful calls, gathered; False if the host is not in the route, whose calls are counted apart."""
        host = self.balancer.hosts.get(address)
        if host is None:
            self.tally.count(address, False, calls)
            return False
        self.balancer.succeeded_often(host, calls, now)
        host.succ += calls
        return True

    @property
    def has_calls(self) -> bool:
        """Whether there are calls that nobody has taken yet."""
        return bool(self.tally) or self._host_has_calls

    @property
    def _host_has_calls(self) -> bool:
        return any(host.succ or host.err for host in self.balancer.hosts.values())

    def states(self) -> dict[HostAddress, bool]:
        """Whether each host of the route is overloaded."""
        return {address: host.overloaded for address, host in self.balancer.hosts.items()}

    def take_results(self, with_strangers: bool = True) -> dict[HostAddress, tuple[int, int, bool]] | None:
        """Successes, failures and overload by host since the last take; None if nothing happened.

        Holds every host of the route and, `with_strangers`, those that were called and are not in it. While the last
        ones of these wait to be sent, the tally is where more of them are bounded.
        """
        states = self.states()
        strangers = self.tally.take() if with_strangers else {}
        if not (strangers or self._host_has_calls or states != self.reported_states):
            return None
        self.reported_states = states
        results = {address: (*counts, False) for address, counts in strangers.items()}
        for address, host in self.balancer.hosts.items():
            before = results.get(address, (0, 0, False))  # it had left and is back
            results[address] = (before[0] + host.succ, before[1] + host.err, host.overloaded)
            host.succ_before += host.succ
            host.err_before += host.err
            host.succ = host.err = 0
        return results
