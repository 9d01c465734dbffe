"""The link to lars-reporter: what is sent when, to ours and to C++ ones."""

from typing import cast

from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.link import TRIES
from lars.agent.links.outbox import Outbox
from lars.agent.links.report_link import ACK_TIMEOUT, ALIVE_INTERVAL, ReportLink, ReportLinkProtocol
from lars.agent.settings import Server
from lars.route import HostAddress, ModuleId, parse_ip
from lars.runtime.reactor import IReactor
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import AgentViews, Heartbeat, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId, encode_message

A = HostAddress(0x7F000001, 9001)


class ReportLinkTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.outbox = Outbox(boot=42)
        self.link = ReportLink(cast(IReactor, self.clock), (Server("127.0.0.1", 7779),), self.outbox, 0, lambda: 1000.0)

    def connect(self) -> tuple[ReportLinkProtocol, StringTransport]:
        protocol = self.link.buildProtocol(None)
        assert isinstance(protocol, ReportLinkProtocol)
        transport = StringTransport(hostAddress=IPv4Address("TCP", "10.1.2.3", 40000))
        protocol.makeConnection(transport)
        return protocol, transport

    def add(self, *cmdids: int) -> None:
        for cmdid in cmdids:
            self.outbox.add(ModuleId(1, cmdid), {A: (1, 0, False)})

    def sent(self, transport: StringTransport) -> list[int]:
        """The seqs of the reports sent since last asked."""
        frames = [ReportStatusRequest.FromString(body) for _, body in FrameDecoder().feed(transport.value())]
        transport.clear()
        return [frame.seq for frame in frames]

    def acknowledge(self, protocol: ReportLinkProtocol, seq: int, boot: int = 42) -> None:
        ack = ReportStatusAck(boot=boot, seq=seq)
        protocol.dataReceived(encode_message(MessageId.REPORT_STATUS_ACK, ack))

    def test_first_report_goes_alone_and_its_answer_lets_the_others_follow(self) -> None:
        protocol, transport = self.connect()
        self.add(1, 2, 3)
        self.link.tick()
        self.assertEqual(self.sent(transport), [1])
        self.acknowledge(protocol, 0)
        self.assertEqual(self.sent(transport), [2, 3])
        self.acknowledge(protocol, 3)
        self.assertEqual(self.outbox.waiting, 0)

    def test_views_go_to_a_reporter_that_takes_them_and_each_connection_has_a_number(self) -> None:
        protocol, transport = self.connect()
        self.assertEqual(self.link.views_to, 0)
        self.acknowledge(protocol, 0)
        self.assertEqual(self.link.views_to, 0, "an older reporter")
        ack = encode_message(MessageId.REPORT_STATUS_ACK, ReportStatusAck(boot=42, takes_views=True))
        protocol.dataReceived(ack + ack)
        self.assertEqual(self.link.views_to, 1)
        transport.clear()
        self.link.send_views(AgentViews())
        ((message_id, body),) = FrameDecoder().feed(transport.value())
        self.assertEqual(message_id, MessageId.AGENT_VIEWS)
        self.assertEqual(AgentViews.FromString(body), AgentViews(boot=42, caller=parse_ip("10.1.2.3")))
        protocol.pauseProducing()
        self.assertEqual(self.link.views_to, 0, "the transport takes no more")
        protocol.connectionLost(connectionDone)
        protocol, _transport = self.connect()
        self.assertEqual(self.link.views_to, 0)
        protocol.dataReceived(ack)
        self.assertEqual(self.link.views_to, 2)

    def test_caller_is_the_local_address_of_the_link(self) -> None:
        _protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        ((_, body),) = FrameDecoder().feed(transport.value())
        self.assertEqual(ReportStatusRequest.FromString(body).caller, parse_ip("10.1.2.3"))

    def test_nothing_is_reported_by_a_machine_without_a_name_and_one_line_says_what_to_do(self) -> None:
        protocol = self.link.buildProtocol(None)
        assert protocol is not None
        transport = StringTransport(hostAddress=UNIXAddress(None))
        with capturedLogs() as events:
            protocol.makeConnection(transport)
            self.add(1)
            self.link.tick()
        [line] = [event["log_format"] for event in events]
        self.assertIn("set caller in [agent]", line)
        self.assertEqual((transport.value(), self.outbox.waiting), (b"", 1))

    def test_unacknowledged_reports_are_sent_again_unchanged_on_a_new_connection(self) -> None:
        protocol, transport = self.connect()
        self.add(1, 2)
        self.link.tick()
        self.acknowledge(protocol, 0)
        before = transport.value()
        protocol.connectionLost(connectionDone)
        protocol, transport = self.connect()
        self.assertTrue(before.startswith(transport.value()))
        self.assertEqual(self.sent(transport), [1])
        self.acknowledge(protocol, 1)
        self.assertEqual(self.sent(transport), [2])

    def test_what_happens_while_the_link_is_down_is_sent_when_it_is_up(self) -> None:
        self.add(1)
        self.link.tick()
        self.add(1)
        _protocol, transport = self.connect()
        self.link.tick()
        ((_, body),) = FrameDecoder().feed(transport.value())
        self.assertEqual(ReportStatusRequest.FromString(body).results[0].succ, 2)

    def test_silent_peer_is_sent_to_without_keeping(self) -> None:
        _protocol, transport = self.connect()
        self.add(1, 2)
        self.link.tick()
        self.clock.advance(ACK_TIMEOUT - 0.1)
        self.link.tick()
        self.assertEqual(self.sent(transport), [1])
        self.clock.advance(0.1)
        self.link.tick()
        self.assertEqual(self.sent(transport), [2])
        self.assertEqual(self.outbox.waiting, 0)
        self.add(*range(200))
        for _ in range(4):
            self.link.tick()
        self.assertEqual(len(self.sent(transport)), 200)

    def test_peer_that_never_acknowledges_gets_all_that_waits_at_once(self) -> None:
        _protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        self.clock.advance(ACK_TIMEOUT)
        self.add(*range(2, 400))
        self.link.tick()
        self.assertEqual(self.sent(transport), list(range(1, 400)))
        self.assertEqual(self.outbox.waiting, 0)

    def test_nothing_piles_up_for_such_a_peer_that_does_not_read(self) -> None:
        protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        self.clock.advance(ACK_TIMEOUT)
        self.link.tick()
        protocol.pauseProducing()
        self.sent(transport)
        self.add(2, 3)
        self.link.tick()
        self.assertEqual((self.sent(transport), self.outbox.waiting), ([], 2))

    def test_silent_peer_that_has_acknowledged_before_is_left_and_nothing_is_lost(self) -> None:
        protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        self.acknowledge(protocol, 1)
        protocol.connectionLost(connectionDone)
        protocol, transport = self.connect()
        self.add(2)
        self.link.tick()
        self.clock.advance(ACK_TIMEOUT)
        self.link.tick()
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.outbox.waiting, 1)

    def test_where_heartbeats_are_quick_such_a_peer_is_left_sooner_and_an_unknown_one_is_not(self) -> None:
        self.link = ReportLink(
            cast(IReactor, self.clock), (Server("127.0.0.1", 7779),), self.outbox, 0, lambda: 1000.0, interval=1.0
        )
        protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        self.clock.advance(2.5)
        self.link.tick()
        self.assertFalse(transport.disconnecting)
        self.acknowledge(protocol, 1)
        protocol.connectionLost(connectionDone)
        protocol, transport = self.connect()
        self.add(2)
        self.link.tick()
        self.clock.advance(2.5)
        self.link.tick()
        self.assertEqual((transport.disconnecting, self.outbox.waiting), (True, 1))

    def replaced_by_a_cpp_reporter(self) -> list[tuple[ReportLinkProtocol, StringTransport]]:
        """One that acknowledges is replaced while a report is under way; the connections without an answer."""
        protocol, _transport = self.connect()
        self.add(1)
        self.link.tick()
        self.acknowledge(protocol, 1)
        self.add(2)
        self.link.tick()
        protocol.connectionLost(connectionDone)
        tries = []
        for _ in range(TRIES):
            tries.append(self.connect())
            self.add(3)
            self.link.tick()
            self.clock.advance(ACK_TIMEOUT)
            self.link.tick()
            if tries[-1][1].disconnecting:
                tries[-1][0].connectionLost(connectionDone)
        return tries

    def test_cpp_reporter_in_its_place_gets_fresh_reports_after_three_tries_and_the_rest_is_kept(self) -> None:
        *left, (_protocol, transport) = self.replaced_by_a_cpp_reporter()
        self.assertTrue(all(was.disconnecting for _protocol, was in left))
        self.assertFalse(transport.disconnecting)
        self.assertTrue(self.link.up)
        kept = self.outbox.waiting
        self.sent(transport)
        for _ in range(3):
            self.add(4)
            self.link.tick()
            self.clock.advance(100)
            self.link.watch()
        self.assertEqual(len(self.sent(transport)), 3 + 2)  # two say after 100 s that the agent is there
        self.assertEqual(self.outbox.waiting, kept)

    def test_what_was_kept_is_acknowledged_by_the_one_that_returns(self) -> None:
        protocol, _transport = self.replaced_by_a_cpp_reporter()[-1]
        protocol.connectionLost(connectionDone)
        protocol, transport = self.connect()
        self.assertEqual(self.sent(transport), [2])
        self.acknowledge(protocol, 1)
        self.sent(transport)
        self.acknowledge(protocol, 99)
        self.assertEqual(self.outbox.waiting, 0)

    def test_reporter_that_sends_heartbeats_is_no_cpp_one_however_long_it_acknowledges_nothing(self) -> None:
        protocol, transport = self.connect()
        self.add(1)
        self.link.tick()
        for _ in range(100):
            protocol.dataReceived(encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000)))
            self.clock.advance(5)
            self.link.tick()
            self.link.watch()
        self.assertEqual((transport.disconnecting, self.outbox.waiting > 0), (False, True))

    def test_silence_of_months_is_still_a_period_that_the_message_can_hold(self) -> None:
        _protocol, transport = self.connect()
        self.clock.advance(60 * 86400)
        self.add(1)
        self.link.tick()
        self.assertEqual(self.sent(transport), [1])

    def test_other_boots_acknowledgement_is_ignored(self) -> None:
        protocol, _transport = self.connect()
        self.add(1)
        self.link.tick()
        self.acknowledge(protocol, 9, boot=41)
        self.assertEqual(self.outbox.waiting, 1)

    def test_long_silence_is_broken_by_a_report_that_says_it_lives(self) -> None:
        _protocol, transport = self.connect()
        self.clock.advance(ALIVE_INTERVAL)
        self.link.tick()
        self.assertEqual(self.sent(transport), [1])
        self.link.tick()
        self.assertEqual(self.sent(transport), [])
