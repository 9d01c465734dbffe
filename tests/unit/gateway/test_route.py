"""A route as the agent's answers have it, and which of its hosts take calls."""

from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.route import route_of_hosts, route_of_state
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse
from tests.unit.gateway.routes import MODULE, address, host, route


def info(text: str) -> HostInfo:
    place = address(text)
    return HostInfo(ip=place.ip, port=place.port)


A, B, C = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"


class RouteTests(SynchronousTestCase):
    def test_a_state_names_healthy_and_ejected_hosts_and_weights(self) -> None:
        state = RouteStateResponse(version=9, idle=[info(B), info(A)], idle_weight=[0, 50], overloaded=[info(C)])
        found = route_of_state(MODULE, state)
        self.assertEqual(found.hosts, (host(A, 50), host(B, 0), host(C, ejected=True)))
        self.assertEqual(found.version, 9)
        self.assertEqual(found.addresses, {address(A), address(B), address(C)})

    def test_hosts_without_weights_have_the_same(self) -> None:
        state = RouteStateResponse(version=9, idle=[info(A), info(B)])
        self.assertEqual({host.weight for host in route_of_state(MODULE, state).hosts}, {100})

    def test_addresses_that_cannot_be_called_are_left_out(self) -> None:
        state = RouteStateResponse(version=9, idle=[HostInfo(ip=0, port=80), HostInfo(ip=1, port=70_000), info(A)])
        self.assertEqual(route_of_state(MODULE, state).hosts, (host(A),))
        self.assertEqual(route_of_hosts(MODULE, [HostInfo(ip=1, port=0), info(A)]).hosts, (host(A),))

    def test_healthy_hosts_that_are_not_drained_take_calls(self) -> None:
        self.assertEqual(route(host(A), host(B, 0), host(C, ejected=True)).taking, (host(A),))

    def test_where_all_are_ejected_those_that_are_not_drained_take_calls(self) -> None:
        bad = host(A, ejected=True)
        self.assertEqual(route(bad, host(B, 0)).taking, (bad,))

    def test_where_all_are_drained_all_take_calls(self) -> None:
        self.assertEqual(route(host(A, 0), host(B, 0)).taking, (host(A, 0), host(B, 0)))
