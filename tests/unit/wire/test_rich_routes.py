"""What a route carries besides its hosts: taken where a host can have it."""

from twisted.trial.unittest import SynchronousTestCase

from lars.route import UNSTEERED, HostAddress, Steering
from lars.wire.lars_pb2 import GetRouteResponse
from lars.wire.rich_routes import steering_of

A, B = HostAddress(1, 80), HostAddress(2, 80)


class SteeringTests(SynchronousTestCase):
    def test_route_of_an_older_dns_has_none(self) -> None:
        route = GetRouteResponse(modid=1, cmdid=1)
        route.host.add(ip=1, port=80)
        self.assertIs(steering_of(route), UNSTEERED)

    def test_weights_zones_and_settings_are_taken(self) -> None:
        route = GetRouteResponse(modid=1, cmdid=1)
        route.host.add(ip=1, port=80, weight=0)
        route.host.add(ip=2, port=80, weight=100, zone="eu-1")
        route.settings.json = "{}"
        self.assertEqual(steering_of(route), Steering({A: 0}, {B: "eu-1"}, "{}"))

    def test_what_no_host_can_have_is_left_out(self) -> None:
        route = GetRouteResponse(modid=1, cmdid=1)
        route.host.add(ip=1, port=80, weight=1001, zone="East Coast")
        self.assertIs(steering_of(route), UNSTEERED)
