"""An agent's connection: what is acknowledged and when, and which agents are paused."""

from twisted.internet.protocol import connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from lars.db.report_writes import Committed
from lars.networks import networks
from lars.reporter.agent_run import AgentRun
from lars.reporter.backpressure import Backpressure
from lars.reporter.caller_rule import CallerRule
from lars.reporter.pace import PaceLimits
from lars.reporter.protocol import ReportServerFactory, ReportServerProtocol
from lars.reporter.writer import Batch, Share
from lars.route import parse_ip
from lars.wire.factory import Limits
from lars.wire.frames import FrameDecoder, encode_frame
from lars.wire.lars_pb2 import AgentFacts, AgentViews, Heartbeat, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId, encode_message
from tests.unit.reporter.reports import cpp_report, report

NOW = 1_795_362_600.0
R = (10, 80, 5, 2, False)
PEER = parse_ip("192.168.1.1")
"""The address from which a StringTransport comes."""


class Agent:
    """An agent's side of a connection."""

    def __init__(self, factory: ReportServerFactory) -> None:
        protocol = factory.buildProtocol(None)
        assert isinstance(protocol, ReportServerProtocol)
        self.protocol = protocol
        self.transport = StringTransport()
        protocol.makeConnection(self.transport)

    def send(self, *requests: ReportStatusRequest) -> None:
        for request in requests:
            self.protocol.dataReceived(encode_message(MessageId.REPORT_STATUS_REQUEST, request))

    def acks(self) -> list[tuple[int, int]]:
        """(boot, seq) of the acknowledgements since they were last looked at."""
        data, _ = self.transport.value(), self.transport.clear()
        acks = [ReportStatusAck.FromString(body) for _id, body in FrameDecoder().feed(data)]
        return [(ack.boot, ack.seq) for ack in acks]

    @property
    def is_paused(self) -> bool:
        return self.transport.producerState == "paused"

    def hang_up(self) -> None:
        self.protocol.connectionLost(connectionDone)


class ReportServerCase(SynchronousTestCase):
    limit = 1000

    def setUp(self) -> None:
        self.clock = Clock()
        self.pending: dict[AgentRun, int] = {}
        self.factory = ReportServerFactory(
            self.clock,
            lambda: NOW,
            Limits(),
            Backpressure(self.limit),
            lambda run, rows: self.pending.update({run: rows}),
        )

    def commit(self, overtaken_at: int | None = None) -> list[tuple[int, int]]:
        """Commits all pending reports, or finds that another reporter has committed up to a seq.

        Returns (first, last) of the groups.
        """
        shares = [Share(run, run.take_pending(), run.rows, 0.0) for run in self.pending]
        self.pending.clear()
        groups = [(group.first, group.last) for share in shares for group in share.groups]
        released = sum(share.rows for share in shares)
        cursors = {}
        for share in shares:
            cursors[share.run.key] = share.run.taken if overtaken_at is None else overtaken_at
            if overtaken_at is None:
                share.run.commit(share.run.taken, share.rows)
            else:
                share.run.start_over(overtaken_at)
        overtaken = set() if overtaken_at is None else set(cursors)
        self.factory.written(Batch(shares, Committed(cursors, overtaken), released, 0, 0))
        return groups


class AcknowledgementTests(ReportServerCase):
    def test_first_report_is_answered_at_once_and_all_are_acknowledged_after_the_commit(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1))
        self.assertEqual(agent.acks(), [(7, 0)])
        agent.send(report(R, seq=2), report(R, seq=3))
        self.assertEqual(agent.acks(), [])
        self.commit()
        self.assertEqual(agent.acks(), [(7, 3)])

    def test_repeats_are_acknowledged_and_not_counted(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1), report(R, seq=2), report(R, seq=2))
        self.commit()
        agent.acks()
        agent.send(report(R, seq=1), report(R, seq=2))
        self.assertEqual((agent.acks(), self.pending), ([(7, 2), (7, 2)], {}))
        self.assertEqual((self.factory.repeated, self.factory.results), (3, 2))

    def test_agent_that_reconnects_before_the_commit_is_not_counted_twice(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1))
        agent.hang_up()
        back = Agent(self.factory)
        back.send(report(R, seq=1), report(R, seq=2))
        self.assertEqual((self.commit(), back.acks()), ([(1, 1), (2, 2)], [(7, 0), (7, 2)]))

    def test_old_connection_that_ends_later_leaves_the_run_to_the_new_one(self) -> None:
        old, new = Agent(self.factory), Agent(self.factory)
        old.send(report(R, seq=1))
        new.send(report(R, seq=1))
        old.hang_up()
        self.commit()
        self.assertEqual((old.acks(), new.acks()), ([(7, 0)], [(7, 0), (7, 1)]))

    def test_disconnected_run_is_forgotten_when_nothing_is_pending(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1))
        agent.hang_up()
        self.commit()
        again = Agent(self.factory)
        again.send(report(R, seq=2))
        self.assertEqual((again.acks(), self.commit()), ([(7, 0)], [(2, 2)]))

    def test_agent_overtaken_by_another_reporter_is_disconnected_and_resumes_from_there(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1))
        self.commit()
        agent.send(report(R, seq=2), report(R, seq=3))
        self.commit(overtaken_at=2)
        self.assertTrue(agent.transport.disconnecting)
        back = Agent(self.factory)
        back.send(report(R, seq=3))
        self.assertEqual((back.acks(), self.commit()), ([(7, 2)], [(3, 3)]))

    def test_views_are_pending_with_their_run_and_refused_of_an_agent_that_has_not_reported(self) -> None:
        agent = Agent(self.factory)
        views = AgentViews(caller=9, boot=7, agent=AgentFacts(hostname="shop-1"))
        agent.protocol.dataReceived(encode_message(MessageId.AGENT_VIEWS, views))
        self.assertEqual(self.factory.counters.malformed, 1)
        agent.send(report(R))
        rows = self.factory.backpressure.rows
        agent.protocol.dataReceived(encode_message(MessageId.AGENT_VIEWS, views))
        self.assertEqual(self.factory.backpressure.rows, rows + 1)
        assert agent.protocol.run is not None
        (seen,) = agent.protocol.run.take_seen()
        assert seen.facts is not None
        self.assertEqual((seen.facts.hostname, seen.at), ("shop-1", int(NOW)))
        views.module.add(modid=-1)
        agent.protocol.dataReceived(encode_message(MessageId.AGENT_VIEWS, views))
        self.assertEqual((self.factory.counters.malformed, agent.protocol.run.take_seen()), (2, []))

    def test_reports_without_results_are_acknowledged(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(modid=0, cmdid=0, seq=1))
        self.commit()
        self.assertEqual(agent.acks(), [(7, 0), (7, 1)])


class CppAgentTests(ReportServerCase):
    def test_its_reports_are_numbered_here_and_never_acknowledged(self) -> None:
        agent = Agent(self.factory)
        agent.send(cpp_report(R), cpp_report(R))
        self.assertEqual((self.commit(), agent.transport.value()), ([(1, 2)], b""))
        agent.send(cpp_report(R))
        self.assertEqual((self.commit(), agent.transport.value()), ([(3, 3)], b""))

    def test_each_connection_is_a_run_of_its_own(self) -> None:
        for _ in range(2):
            agent = Agent(self.factory)
            agent.send(cpp_report(R))
            agent.hang_up()
        self.assertEqual(len({run.boot for run in self.pending}), 2)

    def test_callers_behind_one_connection_keep_their_order(self) -> None:
        agent = Agent(self.factory)
        agent.send(cpp_report(R, caller=1), cpp_report(R, caller=2), cpp_report(R, caller=1))
        self.assertEqual(self.commit(), [(1, 3), (2, 2)])


class BadReportTests(ReportServerCase):
    def test_invalid_report_in_a_valid_frame_is_counted_and_its_connection_kept(self) -> None:
        agent = Agent(self.factory)
        agent.protocol.dataReceived(encode_frame(MessageId.REPORT_STATUS_REQUEST, b"\xff\xff"))
        agent.send(report(R, seq=0), report(R, modid=-5), report(R, seq=1))
        self.assertEqual((self.factory.counters.malformed, self.factory.reports), (3, 1))
        self.assertFalse(agent.transport.disconnecting)

    def test_misdated_report_is_counted(self) -> None:
        agent = Agent(self.factory)
        agent.send(report(R, seq=1, ts=int(NOW)), report(R, seq=2, ts=int(NOW) - 31_536_000))
        self.assertEqual(self.factory.misdated, 1)


class BackpressureTests(ReportServerCase):
    limit = 50

    def flood(self, agent: Agent, boot: int, hosts: int) -> None:
        agent.send(report(*((ip, 80, 1, 0, False) for ip in range(1, hosts + 1)), boot=boot))

    def test_agent_that_sends_most_is_paused_and_resumes_after_the_commit(self) -> None:
        busy, quiet = Agent(self.factory), Agent(self.factory)
        self.flood(busy, 1, 15)
        self.flood(quiet, 2, 2)
        self.assertEqual((busy.is_paused, quiet.is_paused), (True, False))
        self.factory.resume_paused()
        self.assertTrue(busy.is_paused)
        self.commit()
        self.factory.resume_paused()
        self.assertFalse(busy.is_paused)
        self.assertEqual(self.factory.backpressure.rows, 0)

    def test_new_connections_are_paused_when_memory_is_full(self) -> None:
        self.flood(Agent(self.factory), 1, 30)
        late = Agent(self.factory)
        self.assertTrue(late.is_paused)
        self.commit()
        self.factory.resume_paused()
        self.assertFalse(late.is_paused)

    def test_new_connection_is_read_from_once_though_memory_is_full_so_that_the_answer_shows_what_this_is(self) -> None:
        self.flood(Agent(self.factory), 1, 30)
        late = Agent(self.factory)
        self.factory.resume_paused()
        self.assertFalse(late.is_paused)
        late.send(report((1, 80, 1, 0, False), boot=7))
        self.assertEqual((late.acks(), late.is_paused), ([(7, 0)], True))
        self.factory.resume_paused()
        self.assertTrue(late.is_paused)

    def test_paused_agent_is_sent_heartbeats_and_not_taken_for_silent(self) -> None:
        agent = Agent(self.factory)
        heartbeat = encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000))
        agent.protocol.dataReceived(heartbeat)
        self.flood(agent, 1, 30)
        agent.transport.clear()
        for _ in range(60):
            self.clock.advance(1)
            self.factory.resume_paused()
            self.factory.sweep()
        self.assertEqual((agent.is_paused, agent.transport.disconnecting), (True, False))
        answer = encode_message(MessageId.HEARTBEAT, Heartbeat(interval_ms=10_000, server="lars-reporter"))
        self.assertEqual(agent.transport.value(), answer * 12)

    def test_repeated_keys_take_no_more_memory(self) -> None:
        agent = Agent(self.factory)
        self.flood(agent, 1, 5)
        self.commit()
        for seq in range(2, 60):
            agent.send(report(*((ip, 80, 1, 0, False) for ip in range(1, 6)), boot=1, seq=seq))
        self.assertEqual((self.factory.backpressure.rows, agent.is_paused), (11, False))

    def test_stopping_pauses_all_connections_for_good(self) -> None:
        agent = Agent(self.factory)
        self.factory.stop_reading()
        self.factory.resume_paused()
        self.assertTrue(agent.is_paused)


class PeerLimitTests(ReportServerCase):
    """What one connection may report."""

    def setUp(self) -> None:
        super().setUp()
        self.factory.pace_limits = PaceLimits(rows=10, callers=2)

    def hosts(self, seq: int, count: int) -> ReportStatusRequest:
        return report(*((10 + n, 80, 1, 0, False) for n in range(count)), seq=seq)

    def test_peer_over_its_rows_is_not_read_from_until_the_minute_ends_and_loses_nothing(self) -> None:
        agent, other = Agent(self.factory), Agent(self.factory)
        agent.send(self.hosts(1, 4))
        self.assertFalse(agent.is_paused)
        agent.send(self.hosts(2, 6))
        self.assertTrue(agent.is_paused)
        self.assertFalse(other.is_paused)
        self.assertEqual(self.factory.throttled, 1)
        self.assertEqual(self.commit(), [(1, 1), (2, 2)])
        self.clock.advance(59)
        self.factory.resume_paused()
        self.assertTrue(agent.is_paused)
        self.clock.advance(1)
        self.factory.resume_paused()
        self.assertFalse(agent.is_paused)

    def test_peer_that_reports_for_too_many_callers_is_dropped(self) -> None:
        agent = Agent(self.factory)
        for caller in (1, 2, 1):
            agent.send(report(R, caller=caller, boot=caller))
        self.assertFalse(agent.transport.disconnecting)
        agent.send(report(R, caller=3, boot=3))
        self.assertTrue(agent.transport.disconnecting)
        self.assertEqual((self.factory.many_callers, self.factory.reports), (1, 3))


class CallerTests(ReportServerCase):
    """For whom a connection may report, which comes from PEER here."""

    def make(self, allow_callers: str) -> Agent:
        rule = CallerRule(networks(allow_callers), lambda ip: False)
        self.factory = ReportServerFactory(
            self.clock, lambda: NOW, Limits(), Backpressure(1000), lambda run, rows: None, caller_rule=rule
        )
        return Agent(self.factory)

    def test_report_for_the_own_address_is_taken(self) -> None:
        agent = self.make("")
        agent.send(report(R, caller=PEER), report(R, caller=PEER, seq=2))
        self.assertEqual((self.factory.reports, self.factory.unproven_callers, self.factory.refused_callers), (2, 0, 0))

    def test_report_for_another_is_refused_before_it_is_counted_or_answered(self) -> None:
        agent = self.make("10.0.0.0/8")
        agent.send(report(R, caller=8, boot=3), report(R, caller=PEER))
        self.assertEqual((self.factory.reports, self.factory.refused_callers, agent.acks()), (0, 1, []))
        self.assertTrue(agent.transport.disconnecting)

    def test_report_for_another_after_one_for_itself_is_refused_too(self) -> None:
        agent = self.make("")
        agent.send(report(R, caller=PEER), report(R, caller=8, boot=3))
        self.assertEqual((self.factory.reports, self.factory.refused_callers), (1, 1))

    def test_where_any_may_each_caller_is_counted_once_a_connection(self) -> None:
        agent = self.make("any")
        agent.send(*(report(R, caller=8, seq=seq) for seq in range(1, 10)))
        self.assertEqual((self.factory.reports, self.factory.unproven_callers), (9, 1))
