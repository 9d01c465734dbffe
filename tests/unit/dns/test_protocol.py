"""An agent's connection: answered, told of changes, spared what it cannot take."""

from twisted.internet.protocol import connectionDone
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.dns.packed_route import pack
from lars.dns.protocol import LEGACY_WRITE, RouteServerFactory, RouteServerProtocol
from lars.dns.subscriptions import SubscriptionLimits
from lars.dns.table import Refused, RouteTable, pack_routes
from lars.route import ModuleId
from lars.wire.factory import Limits
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, UnsubscribeRequest
from lars.wire.messages import MessageId, encode_message
from lars.wire.rich_routes import MAX_RICH_ROUTE
from tests.unit.dns.plain_rows import Plain, plain_rows
from tests.unit.turns import Turns

M = ModuleId(1, 1)


def request(modid: int = 1, cmdid: int = 1, peer: int = 1) -> bytes:
    return encode_message(MessageId.GET_ROUTE_REQUEST, GetRouteRequest(modid=modid, cmdid=cmdid, peer=peer))


class Writes(StringTransport):
    """A transport that remembers each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)

    def abortConnection(self) -> None:
        self.loseConnection()

    def answers(self) -> list[tuple[int, int, list[int]]]:
        """(modid, cmdid, ports) of every answer so far."""
        found = FrameDecoder().feed(b"".join(self.writes))
        frames = [GetRouteResponse.FromString(body) for number, body in found if number == MessageId.GET_ROUTE_RESPONSE]
        return [(f.modid, f.cmdid, [h.port for h in f.host]) for f in frames]


class RouteServerCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Turns()
        self.table = RouteTable(fresh_ms=1000)
        self.factory = RouteServerFactory(self.table, self.clock, Limits())
        self.put((1, 1, 10, 80), (1, 1, 10, 81))

    def connect(self) -> tuple[RouteServerProtocol, Writes]:
        protocol = self.factory.buildProtocol(None)
        assert isinstance(protocol, RouteServerProtocol)
        transport = Writes()
        protocol.makeConnection(transport)
        return protocol, transport

    def put(self, *rows: Plain) -> list[tuple[ModuleId, bool]]:
        """Makes the whole table just these rows; what changed."""
        routes = dict(pack_routes(plain_rows(rows), {}, Refused()))
        modules = [*routes, *(module for module in self.table.routes if module not in routes)]
        changed = [(module, self.table.put(module, routes.get(module, b""))) for module in modules]
        return [(module, lost) for module, lost in changed if lost is not None]

    def change(self, *rows: Plain) -> None:
        self.factory.publish(self.put(*rows))


class RouteServerTests(RouteServerCase):
    """An agent of ours."""

    def test_nothing_is_sent_on_connect(self) -> None:
        self.assertEqual(self.connect()[1].writes, [])

    def test_request_is_answered_at_once_and_later_changes_are_pushed(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request())
        self.change((1, 1, 10, 82))
        self.change()
        self.assertEqual(transport.answers(), [(1, 1, [80, 81]), (1, 1, [82]), (1, 1, [])])

    def test_module_without_hosts_is_answered_empty_and_pushed_when_it_gets_some(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request(9, 9))
        self.change((1, 1, 10, 80), (1, 1, 10, 81), (9, 9, 10, 90))
        self.assertEqual(transport.answers(), [(9, 9, []), (9, 9, [90])])

    def test_others_changes_are_not_pushed(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request())
        self.change((1, 1, 10, 80), (1, 1, 10, 81), (1, 2, 10, 80))
        self.assertEqual(len(transport.answers()), 1)

    def test_lost_connection_is_told_nothing(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request())
        protocol.connectionLost(connectionDone)
        self.change()
        self.assertEqual(len(transport.answers()), 1)
        self.assertEqual(len(self.factory.subscriptions), 0)

    def test_stalled_agent_gets_only_the_newest_route_when_it_reads_again(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request())
        protocol.pauseProducing()
        for port in (90, 91, 92):
            self.change((1, 1, 10, port))
        protocol.dataReceived(request() * 3)
        self.assertEqual(len(transport.answers()), 1)
        protocol.resumeProducing()
        self.assertEqual(transport.answers()[1:], [(1, 1, [92])])

    def test_unsubscribed_module_is_pushed_no_more(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request())
        protocol.dataReceived(encode_message(MessageId.UNSUBSCRIBE_REQUEST, UnsubscribeRequest(modid=1, cmdid=1)))
        self.change()
        self.assertEqual(len(transport.answers()), 1)

    def test_impossible_module_is_counted_and_not_subscribed(self) -> None:
        protocol, transport = self.connect()
        for frame in (request(0, 0), request(-1, 1), request(1, -5)):
            protocol.dataReceived(frame)
        self.assertEqual(transport.writes, [])
        self.assertEqual((self.factory.counters.malformed, len(self.factory.subscriptions)), (3, 0))


class RichRouteTests(RouteServerCase):
    """What agents of each version are sent of a module with weights, zones and settings."""

    def setUp(self) -> None:
        super().setUp()
        self.put_rich(100)

    def put_rich(self, weight: int) -> None:
        """Gives port 80 a weight, port 81 a zone, and the module a setting."""
        lost = self.table.put(M, pack([(10, 80, weight, ""), (10, 81, 50, "b")], '{"panic":false}'))
        self.factory.publish([(M, lost)] if lost is not None else [])

    def last(self, transport: Writes) -> GetRouteResponse:
        (*_rest, (_id, body)) = FrameDecoder({2: MAX_RICH_ROUTE}).feed(b"".join(transport.writes))
        return GetRouteResponse.FromString(body)

    def test_agent_of_this_version_gets_all_of_it(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request(peer=3))
        self.put_rich(0)
        answer = self.last(transport)
        self.assertEqual([(h.port, h.weight, h.zone) for h in answer.host], [(80, 0, ""), (81, 50, "b")])
        self.assertEqual(answer.settings.json, '{"panic":false}')

    def test_agents_of_earlier_versions_get_addresses_without_the_drained_ones(self) -> None:
        for peer in (1, 2):
            self.put_rich(100)
            protocol, transport = self.connect()
            protocol.dataReceived(request(peer=peer))
            self.assertEqual(transport.answers()[0], (1, 1, [80, 81]))
            self.put_rich(0)
            self.assertEqual(transport.answers()[-1], (1, 1, [81]))
            self.put_rich(7)
            self.assertEqual(transport.answers()[-1], (1, 1, [80, 81]))
            last = self.last(transport)
            self.assertFalse(last.HasField("settings") or any(h.HasField("weight") or h.zone for h in last.host))

    def test_cpp_agent_loses_a_drained_host_as_it_loses_any_other(self) -> None:
        protocol, transport = self.connect()
        for _ in range(2):
            protocol.dataReceived(request(peer=0))
            self.clock.turn()
        self.assertEqual(transport.answers(), [(1, 1, []), (1, 1, [80, 81])])
        self.put_rich(0)
        self.clock.turn()
        protocol.dataReceived(request(peer=0))
        self.clock.turn()
        self.put_rich(7)
        self.clock.turn()
        self.assertEqual(transport.answers()[2:], [(1, 1, []), (1, 1, [81]), (1, 1, [80, 81])])


class LegacyAgentTests(RouteServerCase):
    """A C++ agent, which dies on a frame split across reads and on the update after a removal."""

    def connect_legacy(self) -> tuple[RouteServerProtocol, Writes]:
        """An agent that has asked again after the empty answer to its first request."""
        protocol, transport = self.connect()
        for _ in range(2):
            protocol.dataReceived(request(peer=0))
            self.clock.turn()
        return protocol, transport

    def test_first_answer_on_a_connection_is_empty_since_what_the_agent_still_holds_is_not_known(self) -> None:
        protocol, transport = self.connect_legacy()
        protocol.dataReceived(request(peer=0))
        self.assertEqual(transport.answers(), [(1, 1, []), (1, 1, [80, 81]), (1, 1, [80, 81])])

    def test_agent_whose_link_was_reset_learns_of_a_removal_by_an_empty_route(self) -> None:
        protocol, _transport = self.connect_legacy()
        protocol.connectionLost(connectionDone)
        self.change((1, 1, 10, 81))
        protocol, transport = self.connect()
        self.change((1, 1, 10, 81), (1, 1, 10, 82))
        protocol.dataReceived(request(peer=0))
        self.assertEqual(transport.answers(), [(1, 1, [])])

    def test_push_that_removes_a_host_is_an_empty_route(self) -> None:
        protocol, transport = self.connect_legacy()
        self.change((1, 1, 10, 81))
        protocol.dataReceived(request(peer=0))
        self.clock.turn()
        self.assertEqual(transport.answers()[1:], [(1, 1, [80, 81]), (1, 1, []), (1, 1, [81])])

    def test_removal_that_waits_stays_an_empty_route_whatever_comes_after_it(self) -> None:
        protocol, transport = self.connect_legacy()
        protocol.pauseProducing()
        self.change((1, 1, 10, 81))
        self.change((1, 1, 10, 81), (1, 1, 10, 82))
        protocol.dataReceived(request(peer=0))
        protocol.resumeProducing()
        self.assertEqual(transport.answers()[2:], [(1, 1, [])])
        self.clock.turn()
        protocol.dataReceived(request(peer=0))
        self.assertEqual(transport.answers()[3:], [(1, 1, [81, 82])])

    def test_nothing_is_written_in_a_turn_after_the_connection_was_lost(self) -> None:
        protocol, transport = self.connect_legacy()
        self.change((1, 1, 10, 80))
        self.change((1, 1, 10, 80), (1, 1, 10, 83))
        protocol.connectionLost(connectionDone)
        before = len(transport.writes)
        self.clock.turn()
        self.assertEqual(len(transport.writes), before)

    def test_push_that_only_adds_is_the_route(self) -> None:
        _protocol, transport = self.connect_legacy()
        self.change((1, 1, 10, 80), (1, 1, 10, 81), (1, 1, 10, 82))
        self.assertEqual(transport.answers()[1:], [(1, 1, [80, 81]), (1, 1, [80, 81, 82])])

    def test_writes_hold_whole_frames_within_the_limit_one_a_turn(self) -> None:
        rows = [(1, cmdid, ip, 80) for cmdid in range(1, 6) for ip in range(2**31, 2**31 + 700)]
        self.put(*rows)
        protocol, transport = self.connect()
        requests = b"".join(request(1, cmdid, peer=0) for cmdid in range(1, 6))
        protocol.dataReceived(requests)
        self.clock.turn()
        transport.writes.clear()
        protocol.dataReceived(requests)
        for _ in range(10):
            before = len(transport.writes)
            self.clock.turn()
            self.assertLessEqual(len(transport.writes) - before, 1)
        for write in transport.writes:
            self.assertLessEqual(len(write), LEGACY_WRITE)
            decoder = FrameDecoder()
            list(decoder.feed(write))
            self.assertEqual(decoder._partial, b"", "a write ends with a frame")
        self.assertEqual([answer[1] for answer in transport.answers()], [1, 2, 3, 4, 5])


class SubscriptionLimitTests(RouteServerCase):
    """Agents that ask for more modules than they may subscribe to."""

    def setUp(self) -> None:
        super().setUp()
        self.factory = RouteServerFactory(self.table, self.clock, Limits(), SubscriptionLimits(of_subscriber=1))
        self.put((1, 1, 10, 80), (1, 2, 10, 80))

    def fresh(self, transport: Writes) -> list[int]:
        """fresh_ms of every answer so far."""
        frames = FrameDecoder().feed(b"".join(transport.writes))
        return [GetRouteResponse.FromString(body).fresh_ms for _id, body in frames]

    def test_python_agent_is_answered_without_a_promise_of_pushes(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request(1, 1) + request(1, 2) + request(1, 1))
        self.assertEqual(transport.answers(), [(1, 1, [80]), (1, 2, [80]), (1, 1, [80])])
        self.assertEqual(self.fresh(transport), [1000, 0, 1000])
        self.assertEqual(self.factory.unsubscribed, 1)

    def test_cpp_agent_is_not_answered_since_it_would_not_learn_of_removals(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request(1, 1, peer=0) + request(1, 2, peer=0))
        self.clock.turn()
        self.assertEqual({(modid, cmdid) for modid, cmdid, _ports in transport.answers()}, {(1, 1)})
        self.assertEqual(self.factory.unsubscribed, 1)

    def test_agent_that_does_not_read_is_owed_nothing_beyond_its_subscriptions(self) -> None:
        protocol, transport = self.connect()
        protocol.dataReceived(request(1, 1))
        protocol.pauseProducing()
        for cmdid in range(2, 100):
            protocol.dataReceived(request(1, cmdid))
        protocol.resumeProducing()
        self.assertEqual(transport.answers(), [(1, 1, [80])])
