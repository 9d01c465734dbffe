"""Routes for the tests of the gateway."""

from lars.gateway.route import Route, RoutedHost
from lars.route import HostAddress, ModuleId, parse_host

MODULE = ModuleId(1, 1)


def address(text: str) -> HostAddress:
    return parse_host(text)


def host(text: str, weight: int = 100, ejected: bool = False) -> RoutedHost:
    return RoutedHost(address(text), weight, ejected)


def route(*hosts: RoutedHost, module: ModuleId = MODULE, version: int = 7) -> Route:
    return Route.of(module, hosts, version)
