"""A module's route as the agent has it: hosts, weights, and which of them are ejected. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from lars.route import MAX_PORT, HostAddress, ModuleId
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse

DEFAULT_WEIGHT = 100
"""Of each host, where the agent names none: all have the same."""


@dataclass(frozen=True, slots=True)
class RoutedHost:
    """A host of a route; `weight` is its share of calls relative to the others."""

    address: HostAddress
    weight: int = DEFAULT_WEIGHT
    ejected: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """A module's hosts, none if the agent knows none.

    Attributes:
        module: the module.
        hosts: in the order of their addresses.
        version: that of the agent's state; 0 for none.
        addresses: those of the hosts.
    """

    module: ModuleId
    hosts: tuple[RoutedHost, ...]
    version: int
    addresses: frozenset[HostAddress]

    @classmethod
    def of(cls, module: ModuleId, hosts: Iterable[RoutedHost], version: int = 0) -> "Route":
        """A route of these hosts."""
        found = tuple(sorted(hosts, key=lambda host: host.address))
        return cls(module, found, version, frozenset(host.address for host in found))

    @property
    def taking(self) -> tuple[RoutedHost, ...]:
        """The hosts that take calls: those that are neither ejected nor drained.

        Where there are none, all that are not drained, and where all are drained, all hosts: a caller with a list of
        hosts is better off with doubtful ones than with none (Envoy calls this panic).
        """
        weighted = tuple(host for host in self.hosts if host.weight) or self.hosts
        return tuple(host for host in weighted if not host.ejected) or weighted


def route_of_state(module: ModuleId, state: RouteStateResponse) -> Route:
    """The route that an agent's state names (docs/design/agent.md, route state)."""
    weights = list(state.idle_weight)
    if len(weights) != len(state.idle):
        weights = [DEFAULT_WEIGHT] * len(state.idle)
    hosts = [RoutedHost(_address(info), weight) for info, weight in zip(state.idle, weights, strict=True)]
    hosts += [RoutedHost(_address(info), ejected=True) for info in state.overloaded]
    return Route.of(module, filter(_is_callable, hosts), state.version)


def route_of_hosts(module: ModuleId, hosts: Iterable[HostInfo]) -> Route:
    """The route of an agent that answers no states: all hosts count as healthy."""
    return Route.of(module, filter(_is_callable, (RoutedHost(_address(info)) for info in hosts)))


def _address(info: HostInfo) -> HostAddress:
    return HostAddress(info.ip, info.port)


def _is_callable(host: RoutedHost) -> bool:
    return bool(host.address.ip) and 0 < host.address.port <= MAX_PORT
