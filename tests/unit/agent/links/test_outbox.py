"""Reports on their way: nothing is lost, nothing is sent under two numbers."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.links.outbox import MAX_IN_FLIGHT, MAX_RESULTS, Outbox
from lars.route import HostAddress, ModuleId
from lars.wire.lars_pb2 import ReportStatusRequest
from lars.wire.messages import MessageId, encode_message

M, N = ModuleId(1, 1), ModuleId(1, 2)
A = HostAddress(0x7F000001, 9001)


def total(reports: list[ReportStatusRequest]) -> int:
    return sum(result.succ + result.err for report in reports for result in report.results)


class OutboxTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.outbox = Outbox(boot=42)

    def freeze(self) -> list[ReportStatusRequest]:
        return self.outbox.freeze(caller=9, ts=1000, period_ms=5000)

    def test_unsent_results_merge(self) -> None:
        self.outbox.add(M, {A: (1, 2, False)})
        self.outbox.add(M, {A: (10, 20, True)})
        (report,) = self.freeze()
        (result,) = report.results
        self.assertEqual((result.succ, result.err, result.overload), (11, 22, True))
        self.assertEqual((report.boot, report.seq, report.caller, report.ts, report.period_ms), (42, 1, 9, 1000, 5000))

    def test_frozen_report_does_not_change(self) -> None:
        self.outbox.add(M, {A: (1, 0, False)})
        self.freeze()
        self.outbox.add(M, {A: (5, 0, False)})
        self.freeze()
        self.assertEqual([(r.seq, total([r])) for r in self.outbox.unacknowledged()], [(1, 1), (2, 5)])

    def test_acknowledgement_is_cumulative(self) -> None:
        for module in (M, N):
            self.outbox.add(module, {A: (1, 0, False)})
        self.freeze()
        self.outbox.acknowledge(0)
        self.assertEqual(len(self.outbox.unacknowledged()), 2)
        self.outbox.acknowledge(2)
        self.assertEqual(self.outbox.unacknowledged(), [])

    def test_in_flight_is_bounded_and_the_rest_merges(self) -> None:
        for _ in range(3):
            for n in range(MAX_IN_FLIGHT + 6):
                self.outbox.add(ModuleId(1, n), {A: (1, 0, False)})
            self.freeze()
        self.assertEqual(len(self.outbox.unacknowledged()), MAX_IN_FLIGHT)
        self.assertEqual(self.outbox.waiting, 2 * MAX_IN_FLIGHT + 6)

    def test_many_hosts_are_split_with_a_seq_each_and_fit_frames(self) -> None:
        hosts = {HostAddress(0xFFFFFFFF - n, 65535): (2**32 - 1, 2**32 - 1, True) for n in range(2 * MAX_RESULTS + 1)}
        self.outbox.add(M, hosts)
        reports = self.freeze()
        self.assertEqual([len(r.results) for r in reports], [MAX_RESULTS, MAX_RESULTS, 1])
        self.assertEqual([r.seq for r in reports], [1, 2, 3])
        for report in reports:
            encode_message(MessageId.REPORT_STATUS_REQUEST, report)

    def test_alive_report_names_no_module(self) -> None:
        (report,) = self.outbox.alive(9, 1000, 60_000)
        self.assertEqual((report.modid, report.cmdid, len(report.results), report.seq), (0, 0, 0, 1))

    @given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 9), st.sampled_from(["add", "freeze", "ack"]))))
    def test_sum_of_what_was_added_is_the_sum_of_what_is_sent(self, steps: list[tuple[int, int, str]]) -> None:
        outbox, added, acknowledged, sent = Outbox(1), 0, 0, 0
        for amount, module, step in steps:
            if step == "add":
                outbox.add(ModuleId(1, module), {A: (amount, 1, False)})
                added += amount + 1
            elif step == "freeze":
                outbox.freeze(1, 1, 1)
            elif outbox.unacknowledged():
                first = outbox.unacknowledged()[0]
                outbox.acknowledge(first.seq)
                acknowledged += total([first])
        while outbox.waiting:
            outbox.freeze(1, 1, 1)
            sent += total(outbox.unacknowledged())
            outbox.forget_sent()
        self.assertEqual(acknowledged + sent, added)
