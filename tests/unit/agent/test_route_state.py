"""What a shard tells clients that choose by themselves, and how it counts what they gathered."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.datagrams import DatagramCodec
from lars.agent.route_state import RouteState
from lars.balancing.host import HostState
from lars.route import MAX_HOSTS, HostAddress, ModuleId, parse_host
from lars.wire.frames import MAX_DATAGRAM_BODY, decode_datagram, encode_frame
from lars.wire.lars_pb2 import (
    GetHostRequest,
    HostInfo,
    HostSuccesses,
    ReportBatch,
    ReportRequest,
    RouteStateRequest,
    RouteStateResponse,
)
from lars.wire.messages import MessageId, encode_message
from tests.unit.agent.shard import Shard, records

M = ModuleId(1, 1)
A, B, C = (parse_host(text) for text in ("192.168.1.177:7777", "192.168.17.129:7001", "192.168.17.130:7001"))


def asking(module: ModuleId = M) -> bytes:
    return encode_message(MessageId.GET_HOST_REQUEST, GetHostRequest(seq=1, modid=module.modid, cmdid=module.cmdid))


def failure(host: HostAddress = A) -> bytes:
    report = ReportRequest(modid=1, cmdid=1, host=HostInfo(ip=host.ip, port=host.port), retcode=1)
    return encode_message(MessageId.REPORT_REQUEST, report)


def success(host: HostAddress = A) -> bytes:
    report = ReportRequest(modid=1, cmdid=1, host=HostInfo(ip=host.ip, port=host.port))
    return encode_message(MessageId.REPORT_REQUEST, report)


def batch(*results: tuple[HostAddress, int], module: ModuleId = M) -> bytes:
    told = [HostSuccesses(ip=host.ip, port=host.port, succ=succ) for host, succ in results]
    message = ReportBatch(modid=module.modid, cmdid=module.cmdid, result=told)
    return encode_message(MessageId.REPORT_BATCH, message)


class ShardTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[ModuleId] = []
        self.shard = Shard(self.asked.append)

    def with_route(self, *hosts: HostAddress) -> None:
        self.shard.datagram(asking(), 0.0)
        self.shard.take_route(M, hosts or (A, B), 600.0, 0.0)

    def state(self, version: int = 0, module: ModuleId = M, seq: int = 7) -> RouteStateResponse:
        request = RouteStateRequest(seq=seq, modid=module.modid, cmdid=module.cmdid, version=version)
        answer = self.shard.datagram(encode_message(MessageId.ROUTE_STATE_REQUEST, request), 0.0)
        assert answer is not None
        message_id, body = decode_datagram(answer)
        self.assertEqual(message_id, MessageId.ROUTE_STATE_RESPONSE)
        return RouteStateResponse.FromString(body)


class RouteStateTests(ShardTestCase):
    def test_state_holds_the_hosts_in_the_order_of_the_route_and_answers_the_seq(self) -> None:
        self.with_route()
        for seq in (0, 7, 2**32 - 1):
            state = self.state(seq=seq)
            self.assertEqual((state.seq, state.modid, state.cmdid), (seq, 1, 1))
        self.assertEqual([(info.ip, info.port) for info in state.idle], [A, B])
        self.assertEqual(list(state.overloaded), [])
        self.assertNotEqual(state.version, 0)

    def test_state_names_the_folder_of_saved_routes_where_there_is_room(self) -> None:
        for folder, told in (("/var/lib/lars", "/var/lib/lars"), ("/" + 300 * "x", ""), ("", "")):
            codec = DatagramCodec(Shard().directory, folder)
            request = RouteStateRequest(seq=1, modid=1, cmdid=1)
            answer = codec.answer(encode_message(MessageId.ROUTE_STATE_REQUEST, request), 0.0)
            assert answer is not None
            self.assertEqual(RouteStateResponse.FromString(decode_datagram(answer)[1]).state_dir, told)

    def test_client_that_has_the_version_is_not_told_the_hosts_again(self) -> None:
        self.with_route()
        state = self.state()
        again = self.state(version=state.version)
        self.assertEqual((again.version, list(again.idle)), (state.version, []))
        self.assertEqual(self.state(version=state.version + 1), state)

    def test_choices_and_successes_leave_the_version_and_states_and_routes_change_it(self) -> None:
        self.with_route()
        versions = [self.state().version]
        for _ in range(3):
            self.shard.datagram(asking(), 0.0)
            self.shard.datagram(success(), 0.0)
        self.assertEqual(self.state().version, versions[0])
        for _ in range(30):
            self.shard.datagram(failure(), 0.0)
        versions.append(self.state().version)
        self.assertEqual([(info.ip, info.port) for info in self.state().overloaded], [A])
        self.shard.take_route(M, [B], 600.0, 0.0)
        versions.append(self.state().version)
        self.assertEqual(len(set(versions)), 3)

    def test_overload_that_ends_by_time_is_the_first_version_again(self) -> None:
        self.with_route()
        before = self.state().version
        for _ in range(30):
            self.shard.datagram(failure(), 0.0)
        self.shard.sweep(15.0)
        self.assertEqual(self.state().version, before)

    def test_agent_that_has_started_anew_tells_the_same_version_for_the_same_route(self) -> None:
        self.with_route()
        before = self.state().version
        self.setUp()
        self.with_route()
        self.assertEqual(self.state().version, before)

    def test_unknown_module_is_asked_for_and_has_no_version(self) -> None:
        state = self.state()
        self.assertEqual((state.version, list(state.idle), self.asked), (0, [], [M]))

    def test_module_that_cannot_exist_is_answered_and_not_remembered(self) -> None:
        for module in (ModuleId(0, 0), ModuleId(-1, 1)):
            self.assertEqual(self.state(module=module).version, 0)
        self.assertEqual(self.shard.modules, {})

    def test_state_names_the_policy_and_weights_that_differ(self) -> None:
        for policy in ("classic", "adaptive"):
            self.shard = Shard(policy=policy)
            self.with_route()
            state = self.state()
            self.assertEqual((state.policy, list(state.idle_weight)), (policy, []))
        states = {A: HostState.EJECTED, B: HostState.HEALTHY, C: HostState.HEALTHY}
        encoded = RouteState.of(M, "adaptive", states, [100, 50, 200], 1)
        state = RouteStateResponse.FromString(encoded.full)
        self.assertEqual(([info.ip for info in state.idle], list(state.idle_weight)), ([B.ip, C.ip], [50, 200]))
        other = RouteState.of(M, "adaptive", states, [100, 50, 201], 1)
        self.assertNotEqual(encoded.version, other.version)

    def test_largest_route_fits_a_datagram_whatever_its_weights(self) -> None:
        states = {HostAddress(2**32 - 1 - n, 65_535): HostState.HEALTHY for n in range(MAX_HOSTS)}
        encoded = RouteState.of(M, "consistent_hash", states, (200 + n % 800 for n in range(MAX_HOSTS)), 1)
        self.assertLessEqual(len(encoded.answer(2**32 - 1, 0, {})), MAX_DATAGRAM_BODY)


class BatchTests(ShardTestCase):
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.just("ok"), st.sampled_from([A, B]), st.integers(0, 400)),
                st.tuples(st.just("failed"), st.sampled_from([A, B]), st.integers(1, 30)),
                st.tuples(st.just("time"), st.none(), st.integers(1, 16)),
            ),
            max_size=30,
        )
    )
    @settings(max_examples=200, deadline=None)
    def test_batch_counts_as_its_successes_but_for_ejected_hosts(
        self, steps: list[tuple[str, HostAddress, int]]
    ) -> None:
        shards = Shard(), Shard()
        now = 0.0
        for shard in shards:
            shard.datagram(asking(), now)
            shard.take_route(M, [A, B], 1e9, now)
        for step, host, number in steps:
            if step == "time":
                now += number
            elif step == "failed":
                for shard in shards:
                    for _ in range(number):
                        shard.datagram(failure(host), now)
            else:
                self.assertIsNone(shards[0].datagram(batch((host, number)), now))
                ejected = shards[1].modules[M].states()[host] is HostState.EJECTED
                for _ in range(number):
                    if ejected:
                        shards[1].modules[M].hosts[host].succ += 1
                        shards[1].counters.reports += 1
                    else:
                        shards[1].datagram(success(host), now)
            self.assertEqual(*(records(shard.modules[M]) for shard in shards))
        self.assertEqual(*(shard.counters.reports for shard in shards))
        self.assertEqual(*(shard.modules[M].take_results(0.0) for shard in shards))

    def test_costs_of_a_batch_are_taken_for_the_policy(self) -> None:
        self.shard = Shard(policy="adaptive")
        self.with_route(A, B)
        results = [
            HostSuccesses(ip=host.ip, port=host.port, succ=100, timed=80, cost_us=cost_us)
            for host, cost_us in ((A, 80 * 2_000), (B, 80 * 40_000))
        ]
        message = ReportBatch(modid=1, cmdid=1, result=results)
        for n in range(5):
            self.shard.datagram(encode_message(MessageId.REPORT_BATCH, message), float(n))
        latencies = {each.address: each.latency for each in self.shard.modules[M].explain(5.0, 0, 10)}
        self.assertAlmostEqual(latencies[A] or 0.0, 0.002)
        self.assertGreater(latencies[B] or 0.0, 0.006)

    def test_largest_count_is_counted_at_once(self) -> None:
        self.with_route()
        for _ in range(30):
            self.shard.datagram(failure(), 0.0)
        self.shard.datagram(batch((A, 2**32 - 1), (B, 5)), 0.0)
        results = self.shard.modules[M].take_results(0.0)
        self.assertEqual(results, {A: (2**32 - 1, 30, True), B: (5, 0, False)})

    def test_hosts_outside_the_route_are_counted_apart(self) -> None:
        self.with_route(B)
        self.shard.datagram(batch((A, 3)), 0.0)
        self.assertEqual((self.shard.counters.unrouted, self.shard.counters.reports), (3, 3))

    def test_batch_of_no_module_is_malformed(self) -> None:
        self.shard.datagram(batch((A, 3), module=ModuleId(0, 0)), 0.0)
        self.assertEqual(self.shard.codec.malformed, 1)

    @given(st.sampled_from([10, 12, 14]), st.binary(max_size=100))
    def test_no_bytes_can_stop_the_shard(self, message_id: int, body: bytes) -> None:
        self.shard.datagram(encode_frame(message_id, body), 0.0)
