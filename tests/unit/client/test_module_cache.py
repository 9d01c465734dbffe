"""The cache of one module, without an agent."""

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from lars.client import Host
from lars.client.address import AgentAddress
from lars.client.module_cache import ModuleCache
from lars.client.shard_state import UNSUPPORTED_TTL, ShardState
from lars.route import HostAddress, ModuleId, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import (
    GetHostResponse,
    HostInfo,
    ReportBatch,
    ReportRequest,
    RouteStateRequest,
    RouteStateResponse,
)
from lars.wire.messages import Message, MessageId, decode_message, encode_message

A, B, C = (parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3))
MODULE = ModuleId(1, 1)
TTL = 2.0


def infos(*hosts: HostAddress) -> list[HostInfo]:
    return [HostInfo(ip=host.ip, port=host.port) for host in hosts]


def decoded(datagram: bytes) -> Message | None:
    return decode_message(*decode_datagram(datagram))


class ModuleCacheTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.shard = ShardState(AgentAddress("127.0.0.1", 8888), 0)
        self.cached = ModuleCache(MODULE, self.shard, TTL)

    def ask(
        self,
        now: float,
        healthy: tuple[HostAddress, ...] | None = None,
        ejected: tuple[HostAddress, ...] = (),
        version: int = 1,
    ) -> bool:
        """A query, answered with this state (None: without one) and a host; returns whether it asked for the state."""
        query = self.cached.query(7, now)
        if healthy is not None:
            state = RouteStateResponse(
                seq=7, modid=1, cmdid=1, version=version, idle=infos(*healthy), overloaded=infos(*ejected)
            )
            query.answer(encode_message(MessageId.ROUTE_STATE_RESPONSE, state))
        answer = GetHostResponse(seq=7, modid=1, cmdid=1, host=infos(A)[0])
        self.assertEqual(query.answer(encode_message(MessageId.GET_HOST_RESPONSE, answer)), Host(MODULE, A))
        return len(query.datagrams) == 2


class PickTests(ModuleCacheTestCase):
    def test_cache_is_empty_at_first(self) -> None:
        self.assertEqual(self.cached.until, 0.0)

    def test_healthy_hosts_are_picked_in_turns_until_the_ttl_has_passed(self) -> None:
        self.assertTrue(self.ask(100.0, (A, B, C)))
        self.assertEqual(self.cached.until, 100.0 + TTL)
        picked = Counter(self.cached.pick().address for _ in range(30))
        self.assertEqual(picked, {A: 10, B: 10, C: 10})

    def test_ejected_host_turns_the_cache_off(self) -> None:
        self.ask(100.0, (A, B), (C,))
        self.assertEqual(self.cached.until, 0.0)

    def test_module_without_hosts_is_not_cached(self) -> None:
        self.ask(100.0, ())
        self.assertEqual(self.cached.until, 0.0)

    def test_state_is_asked_for_once_in_a_ttl_with_the_version_at_hand(self) -> None:
        self.ask(100.0, (A,), version=5)
        self.assertFalse(self.ask(100.0 + TTL / 2))
        query = self.cached.query(8, 100.0 + TTL)
        request = decoded(query.datagrams[0])
        assert isinstance(request, RouteStateRequest)
        self.assertEqual(request.version, 5)

    def test_unchanged_state_keeps_its_hosts(self) -> None:
        self.ask(100.0, (A,), version=5)
        self.ask(100.0 + TTL, (), version=5)
        self.assertEqual(self.cached.until, 100.0 + 2 * TTL)
        self.assertEqual(self.cached.pick().address, A)

    def test_agent_without_route_states_is_not_asked_for_one_again_for_a_while(self) -> None:
        self.assertTrue(self.ask(100.0))
        self.assertFalse(self.ask(100.0 + UNSUPPORTED_TTL - 1))
        self.assertTrue(self.ask(100.0 + UNSUPPORTED_TTL))

    def test_ttl_0_never_asks_for_the_state(self) -> None:
        self.cached = ModuleCache(MODULE, self.shard, 0.0)
        self.assertFalse(self.ask(100.0))

    def test_ended_cache_picks_no_more(self) -> None:
        self.ask(100.0, (A,))
        self.cached.end()
        self.assertEqual(self.cached.until, 0.0)
        self.assertFalse(self.ask(200.0))


class ResultTests(ModuleCacheTestCase):
    def test_gathered_successes_are_one_batch_and_then_none(self) -> None:
        for address in (A, B, A):
            self.cached.gather(address)
        (datagram,) = self.cached.batches()
        batch = decoded(datagram)
        assert isinstance(batch, ReportBatch)
        self.assertEqual({HostAddress(r.ip, r.port): r.succ for r in batch.result}, {A: 2, B: 1})
        self.assertEqual(self.cached.batches(), [])

    def test_result_follows_the_successes_gathered_before_it(self) -> None:
        self.cached.gather(A)
        batch, report = map(decoded, self.cached.results(Host(MODULE, B), 1, 0.25))
        self.assertIsInstance(batch, ReportBatch)
        assert isinstance(report, ReportRequest)
        self.assertEqual((report.retcode, report.cost_ms, report.host.ip), (1, 250, B.ip))

    def test_failure_empties_the_cache_and_a_success_does_not(self) -> None:
        self.ask(100.0, (A, B))
        self.cached.results(Host(MODULE, A), 0, None)
        self.assertEqual(self.cached.until, 100.0 + TTL)
        self.cached.results(Host(MODULE, A), 1, None)
        self.assertEqual(self.cached.until, 0.0)
        self.assertTrue(self.ask(100.5, (A, B)))
