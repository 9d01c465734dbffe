"""A shard as a Twisted protocol: the codec's answer goes to where the datagram came from."""

from twisted.internet.task import Clock
from twisted.internet.testing import FakeDatagramTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.udp_protocol import GuardedShardProtocol, ShardProtocol
from lars.networks import networks
from lars.route import parse_host
from lars.runtime.admission import Admission
from lars.wire.lars_pb2 import HostInfo, ReportBatch, ReportRequest
from lars.wire.messages import MessageId, encode_message
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking, success


class ShardProtocolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.shard, self.transport = Clock(), Shard(), FakeDatagramTransport()
        self.protocol = ShardProtocol(self.shard.codec, self.clock.seconds)
        self.protocol.makeConnection(self.transport)

    def test_answer_goes_to_the_address_that_asked(self) -> None:
        self.protocol.datagramReceived(asking(), ("127.0.0.1", 40000))
        ((answer, address),) = self.transport.written
        self.assertEqual((answer, address), (self.shard.datagram(asking(), 0.0), ("127.0.0.1", 40000)))

    def test_what_is_no_request_gets_no_answer(self) -> None:
        self.protocol.datagramReceived(b"x" * 30, ("127.0.0.1", 40000))
        self.assertEqual((self.transport.written, self.shard.codec.malformed), ([], 1))

    def test_time_is_that_of_the_datagram(self) -> None:
        self.protocol.datagramReceived(asking(), ("127.0.0.1", 40000))
        self.shard.take_route(M, [parse_host("10.0.0.1:80")], 600.0, 0.0)
        self.clock.advance(7.0)
        self.protocol.datagramReceived(asking(), ("127.0.0.1", 40000))
        self.assertEqual(self.shard.modules[M].used_at, 7.0)

    def test_failure_goes_on_to_the_other_processes_that_watch(self) -> None:
        self.protocol.datagramReceived(asking(), ("127.0.0.1", 40000))
        self.shard.take_route(M, [parse_host("10.0.0.1:80"), parse_host("10.0.0.2:80")], 600.0, 0.0)
        watch = encode_message(MessageId.REPORT_BATCH, ReportBatch(modid=M.modid, cmdid=M.cmdid, watch_ms=3000))
        for port in (40001, 40002):
            self.protocol.datagramReceived(watch, ("127.0.0.1", port))
        self.transport.written.clear()
        host = HostInfo(ip=parse_host("10.0.0.1:80").ip, port=80)
        failure = ReportRequest(modid=M.modid, cmdid=M.cmdid, host=host, retcode=1)
        datagram = encode_message(MessageId.REPORT_REQUEST, failure)
        self.protocol.datagramReceived(datagram, ("127.0.0.1", 40001))
        self.assertEqual(self.transport.written, [(datagram, ("127.0.0.1", 40002))])

    def test_port_of_a_report_is_that_of_its_process(self) -> None:
        self.protocol.datagramReceived(asking(), ("127.0.0.1", 40000))
        self.shard.take_route(M, [parse_host("10.0.0.1:80")], 600.0, 0.0)
        for port in (40001, 40002):
            self.protocol.datagramReceived(success(parse_host("10.0.0.1:80")), ("127.0.0.1", port))
            self.assertEqual(self.shard.modules[M].reporter, port)


class GuardedShardProtocolTests(SynchronousTestCase):
    def test_only_admitted_addresses_are_answered(self) -> None:
        clock, shard, transport = Clock(), Shard(), FakeDatagramTransport()
        admission = Admission("lars-agent", clock, networks("10.0.0.0/8"))
        protocol = GuardedShardProtocol(shard.codec, clock.seconds, admission)
        protocol.makeConnection(transport)
        for host in ("11.0.0.1", "10.0.0.1"):
            protocol.datagramReceived(asking(), (host, 40000))
        self.assertEqual([address for _answer, address in transport.written], [("10.0.0.1", 40000)])
        self.assertEqual(admission.dropped()["not_allowed"], 1)
