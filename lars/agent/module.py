"""One module as the agent's shard knows it: its route, how old that is, its balancer, and what was reported."""

from collections.abc import Iterable

from lars.agent.balancer import Balancer, BalancerSettings, Host
from lars.agent.tally import Tally
from lars.route import HostAddress, ModuleId


class Module:
    """A module that somebody asked about. Times are in seconds, monotonic."""

    __slots__ = (
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
        self.balancer = Balancer(settings)
        self.tally = Tally()
        self.used_at = now
        self.asked_at: float | None = None  # when dns was asked and has not answered since
        self.fresh_until = now  # when it is to be asked again
        self.routed_at: float | None = None  # when dns last sent the route
        self.subscribed = False  # whether a dns of ours pushes its changes, and can be told to stop
        self.reported_states: dict[HostAddress, bool] = {}

    def take_route(self, hosts: Iterable[HostAddress], fresh_until: float, now: float) -> list[Host]:
        """A route from dns; the hosts that have left with it."""
        self.asked_at = None
        self.routed_at = now
        self.fresh_until = fresh_until
        return self.balancer.update(hosts, now)

    def states(self) -> dict[HostAddress, bool]:
        """Whether each host of the route is overloaded."""
        return {address: host.overloaded for address, host in self.balancer.hosts.items()}

    def take_results(self) -> dict[HostAddress, tuple[int, int, bool]] | None:
        """Successes, failures and overload by host since the last take; None if nothing happened.

        Holds every host of the route, and those that were called and have left it.
        """
        states = self.states()
        if not self.tally and states == self.reported_states:
            return None
        self.reported_states = states
        counts = self.tally.take(states)
        return {
            address: (*counts.get(address, (0, 0)), states.get(address, False))
            for address in dict.fromkeys([*states, *counts])
        }
