"""Reports of one process among several: they eject nobody alone, whatever they say."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.module import SHARED
from lars.balancing.host import HostState
from lars.balancing.policies import PICKERS
from lars.route import HostAddress, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostResponse, HostInfo, ReportRequest
from lars.wire.messages import MessageId, Retcode, encode_message
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking

HOSTS = [parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3)]
PROCESS, OTHER, FORGER = 40_001, 40_002, 40_003
LONGEST = 2**32 - 1
"""Milliseconds: the largest cost that fits."""


def report(host: HostAddress, retcode: int = 0, cost_ms: int = 5) -> bytes:
    info = HostInfo(ip=host.ip, port=host.port)
    message = ReportRequest(modid=M.modid, cmdid=M.cmdid, host=info, retcode=retcode, cost_ms=cost_ms)
    return encode_message(MessageId.REPORT_REQUEST, message)


class SourceTests(SynchronousTestCase):
    def with_policy(self, policy: str) -> None:
        self.shard = Shard(policy=policy)
        self.now = 0.0
        self.shard.datagram(asking(), self.now)
        self.shard.take_route(M, HOSTS, 600.0, self.now)

    def calls(self, source: int, times: int, failing: HostAddress | None = None, asker: int = 0) -> int:
        """Makes calls a tenth of a second apart; how many were refused."""
        refused = 0
        for _ in range(times):
            self.now += 0.1
            self.shard.sweep(self.now)
            answer = self.shard.datagram(asking(), self.now, asker or source)
            assert answer is not None
            response = GetHostResponse.FromString(decode_datagram(answer)[1])
            if response.retcode != Retcode.SUCC:
                refused += 1
                continue
            host = HostAddress(response.host.ip, response.host.port)
            self.shard.datagram(report(host, int(host == failing)), self.now, source)
        return refused

    def ejected(self) -> list[HostAddress]:
        states = self.shard.modules[M].states()
        return [host for host, state in states.items() if state is HostState.EJECTED]

    def test_forged_reports_of_one_process_eject_nobody_and_refuse_no_call(self) -> None:
        for policy in PICKERS:
            for before in (0, 2, 100):
                self.with_policy(policy)
                self.calls(PROCESS, before)
                for _ in range(5):
                    for host in HOSTS:
                        self.shard.datagram(report(host, 1, LONGEST), self.now, FORGER)
                    self.assertEqual(self.ejected(), [], policy)
                self.assertEqual(self.calls(PROCESS, 22), 0, policy)

    def test_forged_reports_amid_the_calls_of_others_eject_nobody(self) -> None:
        self.with_policy("adaptive")
        for _ in range(100):
            self.assertEqual(self.calls(PROCESS, 1), 0)
            self.shard.datagram(report(HOSTS[0], 1, LONGEST), self.now, FORGER)
        self.assertEqual(self.ejected(), [])

    def test_host_that_fails_two_processes_is_ejected(self) -> None:
        for policy in PICKERS:
            self.with_policy(policy)
            for _ in range(100):
                self.calls(PROCESS, 3)
                self.calls(OTHER, 1)
            for _ in range(2_000):  # a host that has just failed is passed over
                self.calls(PROCESS, 3, failing=HOSTS[1])
                self.calls(OTHER, 1, failing=HOSTS[1])
                if self.ejected():
                    break
            self.assertEqual(self.ejected(), [HOSTS[1]], policy)

    def test_process_that_has_been_the_only_one_for_a_while_ejects_alone(self) -> None:
        for policy in PICKERS:
            self.with_policy(policy)
            self.calls(OTHER, 1)
            self.calls(PROCESS, 1, asker=PROCESS + 100)
            self.now += SHARED
            for _ in range(300):  # it asks on another socket than it reports on
                self.calls(PROCESS, 1, failing=HOSTS[1], asker=PROCESS + 100)
                if self.ejected():
                    break
            self.assertEqual(self.ejected(), [HOSTS[1]], policy)

    def test_failures_that_others_meet_now_and_then_give_forged_ones_no_more_weight_than_their_own(self) -> None:
        for policy in PICKERS:
            for every in (25, 100):
                self.with_policy(policy)
                for number in range(1_000):
                    self.calls(
                        (PROCESS, OTHER)[number % 2], 1, failing=HOSTS[number % 3] if number % every == 0 else None
                    )
                    for _ in range(5):
                        self.shard.datagram(report(HOSTS[0], 1), self.now, FORGER)
                    self.assertEqual(self.ejected(), [], policy)
