"""The link to lars-dns: what of a route can be used is taken, and what cannot is counted and skipped."""

from typing import cast

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.dns_link import DnsLink
from lars.agent.settings import Server
from lars.route import MAX_HOSTS, UNSTEERED, HostAddress, ModuleId, Steering
from lars.runtime.reactor import IReactor
from lars.wire.frames import HEADER
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, encode_message
from lars.wire.rich_routes import MAX_RICH_ROUTE, RICH_PEER
from tests.unit.wire.cpp_peer import cpp_message

M = ModuleId(1, 2)


class RouteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.taken: list[tuple[ModuleId, list[HostAddress], int, Steering, int]] = []
        self.link = DnsLink(
            cast(IReactor, MemoryReactorClock()),
            (Server("10.0.0.1", 7778),),
            lambda *route: self.taken.append(route),
            list,
        )
        self.protocol = self.link.buildProtocol(None)
        assert self.protocol is not None
        self.transport = StringTransport()
        self.protocol.makeConnection(self.transport)

    def send(self, *hosts: tuple[int, int], modid: int = 1) -> None:
        route = GetRouteResponse(
            modid=modid, cmdid=2, host=[HostInfo(ip=ip, port=port) for ip, port in hosts], fresh_ms=5, version=7
        )
        assert self.protocol is not None
        self.protocol.dataReceived(encode_message(MessageId.GET_ROUTE_RESPONSE, route))

    def test_route_is_taken_as_it_is(self) -> None:
        self.send((1, 80), (2**32 - 1, 65535))
        self.send()
        self.assertEqual(
            self.taken,
            [(M, [HostAddress(1, 80), HostAddress(2**32 - 1, 65535)], 5, UNSTEERED, 7), (M, [], 5, UNSTEERED, 7)],
        )
        self.assertEqual(self.link.counters.malformed, 0)

    def test_hosts_that_cannot_be_are_left_out_and_counted(self) -> None:
        self.send((1, 80), (2, 0), (3, -1), (4, 70_000), (0, 80))
        self.assertEqual([hosts for _, hosts, _, _, _ in self.taken], [[HostAddress(1, 80)]])
        self.assertEqual(self.link.counters.malformed, 1)

    def test_route_of_nothing_but_impossible_hosts_does_not_empty_the_module(self) -> None:
        self.send((1, 0))
        self.assertEqual((self.taken, self.link.counters.malformed), ([], 1))

    def test_excess_of_hosts_is_cut(self) -> None:
        self.send(*((n, 80) for n in range(1, MAX_HOSTS + 3)))
        self.assertEqual(len(self.taken[0][1]), MAX_HOSTS)

    def test_route_of_a_cpp_dns_in_ten_byte_addresses_is_taken_and_a_longer_one_leaves_the_link_to_the_others(
        self,
    ) -> None:
        response, protocol = cpp_message("GetRouteResponse"), self.protocol
        assert protocol is not None
        for count in (3_950, 30_000):
            route = response(modid=1, cmdid=2)
            for number in range(count):
                route.host.add(ip=-number - 1, port=65_535)
            body = route.SerializeToString()
            protocol.dataReceived(HEADER.pack(2, len(body)) + body)
        self.send((1, 80))
        self.assertEqual([len(hosts) for _, hosts, _, _, _ in self.taken], [3_950, 1])
        self.assertEqual(self.link.counters.malformed, 1)
        self.assertFalse(self.transport.disconnecting)

    def test_the_fullest_route_with_weights_zones_and_settings_is_taken_whole(self) -> None:
        route = GetRouteResponse(modid=1, cmdid=2, fresh_ms=5)
        for number in range(MAX_HOSTS):
            route.host.add(ip=2**31 + number, port=65_535, weight=1000, zone=f"{number:064}")
        route.settings.json = "x" * 4096
        assert self.protocol is not None
        self.protocol.dataReceived(encode_message(MessageId.GET_ROUTE_RESPONSE, route, MAX_RICH_ROUTE))
        ((_module, hosts, _fresh_ms, steering, _version),) = self.taken
        self.assertEqual((len(hosts), len(steering.weights), len(steering.zones)), (MAX_HOSTS,) * 3)
        self.assertEqual(steering.settings, "x" * 4096)

    def test_rich_routes_are_asked_for(self) -> None:
        self.link.ask(M)
        body = self.transport.value()[HEADER.size :]
        self.assertEqual(GetRouteRequest.FromString(body).peer, RICH_PEER)

    def test_module_that_cannot_be_is_skipped(self) -> None:
        self.send((1, 80), modid=-1)
        self.assertEqual((self.taken, self.link.counters.malformed), ([], 1))
