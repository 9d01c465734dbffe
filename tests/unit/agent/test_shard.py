"""A shard: datagrams in, answers out, and what it asks dns for."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.balancer import BalancerSettings
from lars.agent.shard import Shard
from lars.route import ModuleId, parse_host
from lars.wire.frames import MAX_DATAGRAM_BODY, decode_datagram, encode_frame
from lars.wire.lars_pb2 import (
    GetHostRequest,
    GetHostResponse,
    GetRouteRequest,
    GetRouteResponse,
    HostInfo,
    ReportRequest,
)
from lars.wire.messages import MessageId, Retcode, encode_message

M = ModuleId(1, 1)
A, B = parse_host("192.168.1.177:7777"), parse_host("192.168.17.129:7001")


def get_host(modid: int = 1, cmdid: int = 1, seq: int = 7) -> bytes:
    return encode_message(MessageId.GET_HOST_REQUEST, GetHostRequest(seq=seq, modid=modid, cmdid=cmdid))


def report(retcode: int = 0, host: str = "192.168.1.177:7777", modid: int = 1, cost_ms: int = 0) -> bytes:
    address = parse_host(host)
    info = HostInfo(ip=address.ip, port=address.port)
    message = ReportRequest(modid=modid, cmdid=1, host=info, retcode=retcode, cost_ms=cost_ms)
    return encode_message(MessageId.REPORT_REQUEST, message)


class ShardTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[ModuleId] = []
        self.shard = Shard(BalancerSettings(), self.asked.append)

    def ask(self, datagram: bytes, now: float = 0.0) -> GetHostResponse:
        answer = self.shard.datagram(datagram, now)
        assert answer is not None
        message_id, body = decode_datagram(answer)
        self.assertEqual(message_id, MessageId.GET_HOST_RESPONSE)
        return GetHostResponse.FromString(body)

    def with_route(self) -> None:
        self.ask(get_host())
        self.shard.take_route(M, [A, B], 600.0, 0.0)

    def test_unknown_module_is_asked_for_once_and_answers_noexist(self) -> None:
        for _ in range(3):
            self.assertEqual(self.ask(get_host()).retcode, Retcode.NOEXIST)
        self.assertEqual(self.asked, [M])

    def test_known_module_answers_its_hosts_in_turn_with_the_request_seq(self) -> None:
        self.with_route()
        answers = [self.ask(get_host(seq=n)) for n in (1, 2, 3)]
        self.assertEqual([(a.host.ip, a.host.port) for a in answers], [A, B, A])
        self.assertEqual([a.seq for a in answers], [1, 2, 3])
        self.assertEqual({a.retcode for a in answers}, {Retcode.SUCC})

    def test_empty_route_answers_noexist_without_asking_again(self) -> None:
        self.with_route()
        self.shard.take_route(M, [], 600.0, 0.0)
        self.assertEqual(self.ask(get_host()).retcode, Retcode.NOEXIST)
        self.assertEqual(self.asked, [M])

    def test_all_overloaded_answers_overload(self) -> None:
        self.with_route()
        for host in ("192.168.1.177:7777", "192.168.17.129:7001"):
            for _ in range(15):
                self.assertIsNone(self.shard.datagram(report(1, host), 0.0))
        self.assertEqual(self.ask(get_host()).retcode, Retcode.OVERLOAD)

    def test_module_zero_zero_and_negative_ids_are_not_asked_for(self) -> None:
        for modid, cmdid in ((0, 0), (-1, 1), (1, -1)):
            self.assertEqual(self.ask(get_host(modid, cmdid)).retcode, Retcode.NOEXIST)
        self.assertEqual(self.asked, [])
        self.assertEqual(self.shard.modules, {})

    def test_get_route_answers_all_hosts(self) -> None:
        self.with_route()
        request = encode_message(MessageId.API_GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=1))
        answer = self.shard.datagram(request, 0.0)
        assert answer is not None
        message_id, body = decode_datagram(answer)
        self.assertEqual(message_id, MessageId.API_GET_ROUTE_RESPONSE)
        self.assertEqual([(h.ip, h.port) for h in GetRouteResponse.FromString(body).host], [A, B])

    def test_get_route_of_an_unknown_module_asks_for_it_and_answers_none(self) -> None:
        request = encode_message(MessageId.API_GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=1))
        answer = self.shard.datagram(request, 0.0)
        assert answer is not None
        self.assertEqual(len(GetRouteResponse.FromString(answer[8:]).host), 0)
        self.assertEqual(self.asked, [M])

    def test_largest_route_fits_a_datagram(self) -> None:
        self.ask(get_host())
        hosts = [parse_host(f"255.255.{n // 250}.{n % 250 + 1}:65535") for n in range(4000)]
        self.shard.take_route(M, hosts, 600.0, 0.0)
        request = encode_message(MessageId.API_GET_ROUTE_REQUEST, GetRouteRequest(modid=1, cmdid=1))
        answer = self.shard.datagram(request, 0.0)
        assert answer is not None
        self.assertLessEqual(len(answer) - 8, MAX_DATAGRAM_BODY)

    def test_results_are_tallied_apart_from_the_balancer_and_through_removal(self) -> None:
        self.with_route()
        for retcode in (0, 0, 1):
            self.shard.datagram(report(retcode), 0.0)
        self.shard.take_route(M, [B], 600.0, 1.0)
        self.shard.datagram(report(1), 1.0)
        self.assertEqual(self.shard.counters.strangers, 1)
        results = self.shard.modules[M].take_results()
        self.assertEqual(results, {B: (0, 0, False), A: (2, 2, False)})
        self.assertIsNone(self.shard.modules[M].take_results())

    def test_strangers_stay_in_their_bounded_tally_while_the_last_ones_wait_to_be_sent(self) -> None:
        self.with_route()
        self.shard.datagram(report(), 0.0)
        self.shard.take_route(M, [B], 600.0, 1.0)
        module = self.shard.modules[M]
        self.assertEqual(module.take_results(with_strangers=False), {B: (0, 0, False)})
        self.assertIsNone(module.take_results(with_strangers=False))
        self.assertTrue(module.has_calls)
        self.assertEqual(module.take_results(), {A: (1, 0, False), B: (0, 0, False)})

    def test_padded_report_is_counted_but_not_remembered(self) -> None:
        self.with_route()
        body = report()[8:] + b"\x7a\x40" + b"x" * 64
        for _ in range(2):
            self.shard.datagram(encode_frame(MessageId.REPORT_REQUEST, body), 0.0)
        self.assertEqual((self.shard.counters.reports, self.shard._known_reports), (2, {}))

    def test_change_of_state_alone_is_a_result(self) -> None:
        self.with_route()
        for _ in range(15):
            self.shard.datagram(report(1), 0.0)
        self.shard.modules[M].take_results()
        self.shard.sweep(self.shard.modules.values(), 15.0)
        self.assertEqual(self.shard.modules[M].take_results(), {A: (0, 0, False), B: (0, 0, False)})

    def test_garbage_is_counted_and_dropped(self) -> None:
        for garbage in (
            b"",
            b"\x00",
            b"x" * 100,
            encode_frame(4, b"\xff"),
            encode_frame(99, b""),
            encode_frame(5, b""),
        ):
            self.assertIsNone(self.shard.datagram(garbage, 0.0))
        self.assertEqual(self.shard.counters.malformed, 6)

    @given(st.binary(max_size=200) | st.builds(encode_frame, st.integers(-5, 15), st.binary(max_size=100)))
    @settings(deadline=None)
    def test_no_datagram_raises(self, data: bytes) -> None:
        self.shard.datagram(data, 0.0)

    def test_cpp_client_frames_are_answered(self) -> None:
        path = Path(__file__).parent.parent / "wire" / "wire_vectors.json"
        frames = [
            bytes.fromhex(v["frame"])
            for v in json.loads(path.read_text())["vectors"]
            if v["direction"] == "client -> agent"
        ]
        self.with_route()
        for frame in frames:
            self.shard.datagram(frame, 0.0)
        self.assertEqual(self.shard.counters.malformed, 0)
        self.assertGreater(self.shard.counters.reports, 0)


class RefreshTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shard = Shard(BalancerSettings(), lambda _module: None)
        self.shard.datagram(get_host(), 0.0)

    def test_unanswered_module_is_asked_for_again_after_the_timeout(self) -> None:
        self.assertEqual(self.shard.to_refresh(14.9, 15.0), [])
        self.assertEqual(self.shard.to_refresh(15.0, 15.0), [M])

    def test_route_is_asked_for_again_when_no_longer_fresh(self) -> None:
        self.shard.take_route(M, [A], 600.0, 0.0)
        self.assertEqual(self.shard.to_refresh(599.9, 15.0), [])
        self.assertEqual(self.shard.to_refresh(600.0, 15.0), [M])

    def test_unused_module_is_forgotten_but_not_with_calls_untold(self) -> None:
        self.shard.datagram(report(), 0.0)
        self.assertEqual(self.shard.forget_unused(3600.0, 3600.0), [])
        self.shard.modules[M].take_results()
        self.assertEqual([m.module for m in self.shard.forget_unused(3600.0, 3600.0)], [M])
        self.assertEqual(self.shard.modules, {})
