"""The codec: datagrams in, answers out, by two ways that do the same."""

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.datagrams import DatagramCodec
from lars.agent.watchers import Address
from lars.route import HostAddress, ModuleId, parse_host
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
from tests.unit.agent.shard import Shard, records

M = ModuleId(1, 1)
A, B = parse_host("192.168.1.177:7777"), parse_host("192.168.17.129:7001")


def get_host(modid: int = 1, cmdid: int = 1, seq: int = 7) -> bytes:
    return encode_message(MessageId.GET_HOST_REQUEST, GetHostRequest(seq=seq, modid=modid, cmdid=cmdid))


def report(retcode: int = 0, host: str = "192.168.1.177:7777", modid: int = 1, cost_ms: int = 0) -> bytes:
    address = parse_host(host)
    info = HostInfo(ip=address.ip, port=address.port)
    message = ReportRequest(modid=modid, cmdid=1, host=info, retcode=retcode, cost_ms=cost_ms)
    return encode_message(MessageId.REPORT_REQUEST, message)


class DatagramTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[ModuleId] = []
        self.shard = Shard(self.asked.append)

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
        self.assertEqual(self.shard.counters.unrouted, 1)
        results = self.shard.modules[M].take_results(0.0)
        self.assertEqual(results, {B: (0, 0, False), A: (2, 2, False)})
        self.assertIsNone(self.shard.modules[M].take_results(0.0))

    def test_strangers_stay_in_their_bounded_tally_while_the_last_ones_wait_to_be_sent(self) -> None:
        self.with_route()
        self.shard.datagram(report(), 0.0)
        self.shard.take_route(M, [B], 600.0, 1.0)
        module = self.shard.modules[M]
        self.assertEqual(module.take_results(0.0, with_unrouted=False), {B: (0, 0, False)})
        self.assertIsNone(module.take_results(0.0, with_unrouted=False))
        self.assertTrue(module.has_calls)
        self.assertEqual(module.take_results(0.0), {A: (1, 0, False)})

    def test_calls_with_one_key_go_to_one_host(self) -> None:
        self.shard = Shard(self.asked.append, "consistent_hash")
        self.with_route()
        hosts: dict[int, set[int]] = {}
        for key in (*range(1, 40), 2**64 - 1) * 3:
            request = GetHostRequest(seq=key % 7, modid=1, cmdid=1, key=key)
            answer = self.ask(encode_message(MessageId.GET_HOST_REQUEST, request))
            self.assertEqual((answer.seq, answer.retcode), (key % 7, Retcode.SUCC))
            hosts.setdefault(key, set()).add(answer.host.ip)
            info = HostInfo(ip=answer.host.ip, port=answer.host.port)
            self.shard.datagram(
                encode_message(MessageId.REPORT_REQUEST, ReportRequest(modid=1, cmdid=1, host=info)), 0.0
            )
        self.assertEqual({len(of_key) for of_key in hosts.values()}, {1})
        self.assertEqual({ip for of_key in hosts.values() for ip in of_key}, {A.ip, B.ip})

    def test_padded_report_is_counted_but_not_remembered(self) -> None:
        self.with_route()
        body = report()[8:] + b"\x7a\x40" + b"x" * 64
        for _ in range(2):
            self.shard.datagram(encode_frame(MessageId.REPORT_REQUEST, body), 0.0)
        self.assertEqual((self.shard.counters.reports, self.shard.codec._known_reports), (2, {}))

    def test_change_of_state_alone_is_a_result(self) -> None:
        self.with_route()
        for _ in range(15):
            self.shard.datagram(report(1), 0.0)
        self.shard.modules[M].take_results(0.0)
        self.shard.sweep(15.0)
        self.assertEqual(self.shard.modules[M].take_results(0.0), {A: (0, 0, False), B: (0, 0, False)})

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
        self.assertEqual(self.shard.codec.malformed, 6)

    @given(st.binary(max_size=200) | st.builds(encode_frame, st.integers(-5, 19), st.binary(max_size=100)))
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
        self.assertEqual(self.shard.codec.malformed, 0)
        self.assertGreater(self.shard.counters.reports, 0)


MODULES = [ModuleId(1, 1), ModuleId(1, 0), ModuleId(0, 1), ModuleId(300, 2**31 - 1)]
HOSTS = [HostAddress(0x7F000001, 9001), HostAddress(0xC0A801B1, 7777), HostAddress(1, 65535)]


class ParsingCodec(DatagramCodec):
    """A codec without the short way."""

    def answer(self, data: bytes, now: float, source: int = 0, address: Address | None = None) -> bytes | None:
        return self._parsed(data, now, source, address)


class ParsingShard(Shard):
    """A shard without the short way."""

    codec_type = ParsingCodec


def varint(value: int, size: int = 0) -> bytes:
    """A varint, padded to a size as no encoder of ours does."""
    out = bytearray()
    while value > 127 or len(out) + 1 < size:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def asking(module: ModuleId, seq: int, key: int = 0) -> bytes:
    body = GetHostRequest(seq=seq, modid=module.modid, cmdid=module.cmdid, key=key).SerializeToString()
    return encode_frame(MessageId.GET_HOST_REQUEST, body)


def padded_get_host(module: ModuleId, seq: int, size: int) -> bytes:
    body = GetHostRequest(modid=module.modid, cmdid=module.cmdid).SerializeToString()
    return encode_frame(MessageId.GET_HOST_REQUEST, b"\x08" + varint(seq, size) + body)


def reporting(module: ModuleId, host: HostAddress, retcode: int, cost_ms: int) -> bytes:
    message = ReportRequest(
        modid=module.modid,
        cmdid=module.cmdid,
        host=HostInfo(ip=host.ip, port=host.port),
        retcode=retcode,
        cost_ms=cost_ms,
    )
    return encode_frame(MessageId.REPORT_REQUEST, message.SerializeToString())


def cpp_report(module: ModuleId, host: HostAddress) -> bytes:
    """As a C++ client writes it: the address as a negative number, in ten bytes."""
    ip = host.ip if host.ip < 2**31 else host.ip + 2**64 - 2**32
    info = b"\x08" + varint(ip) + b"\x10" + varint(host.port)
    body = ReportRequest(modid=module.modid, cmdid=module.cmdid).SerializeToString()
    return encode_frame(MessageId.REPORT_REQUEST, body + b"\x1a" + varint(len(info)) + info)


modules, hosts = st.sampled_from(MODULES), st.sampled_from(HOSTS)
seqs = st.integers(0, 2**32 - 1) | st.integers(0, 300)
datagrams = st.one_of(
    st.builds(asking, modules, seqs, st.sampled_from([0, 0, 1, 2**64 - 1])),
    st.builds(padded_get_host, modules, st.integers(0, 2**64 - 1), st.integers(0, 10)),
    st.builds(reporting, modules, hosts, st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 250])),
    st.builds(cpp_report, modules, hosts),
    st.builds(lambda data, at, byte: data[:at] + bytes([byte]) + data[at + 1 :],
              st.builds(asking, modules, seqs) | st.builds(reporting, modules, hosts, st.just(0), st.just(0)),
              st.integers(0, 40), st.integers(0, 255)),
    st.binary(max_size=80),
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("datagram"), datagrams, st.integers(1, 20)),
        st.tuples(st.just("route"), modules, st.lists(hosts, unique=True)),
        st.tuples(st.just("time"), st.floats(0, 20), st.none()),
        st.tuples(st.just("take"), modules, st.none()),
    ),
    max_size=60,
)


class ShortWayTests(SynchronousTestCase):
    def state(self, shard: Shard) -> object:
        return {
            key: (
                records(module),
                module.used_at,
                module.has_calls,
            )
            for key, module in shard.modules.items()
        }

    @given(steps)
    @settings(max_examples=300, deadline=None)
    def test_both_ways_answer_and_count_alike(self, steps: list[tuple]) -> None:  # type: ignore[type-arg]
        asked: tuple[list[ModuleId], list[ModuleId]] = ([], [])
        shards = Shard(asked[0].append), ParsingShard(asked[1].append)
        now = 0.0
        for step, first, second in steps:
            if step == "datagram":
                for _ in range(second):
                    answers = [shard.datagram(first, now) for shard in shards]
                    self.assertEqual(*map(self.read, answers))
            elif step == "route":
                for shard in shards:
                    shard.take_route(first, second, now + 600, now)
            elif step == "time":
                now += first
                for shard in shards:
                    shard.sweep(now)
            else:
                self.assertEqual(
                    *(first in shard.modules and shard.modules[first].take_results(0.0) for shard in shards)
                )
            self.assertEqual(*map(self.state, shards))
        self.assertEqual(*asked)
        counters = [{name: getattr(s.counters, name) for name in s.counters.__slots__} for s in shards]
        self.assertEqual(*counters)
        self.assertEqual(*(shard.codec.malformed for shard in shards))

    def read(self, answer: bytes | None) -> object:
        """The header and the parsed body of an answer."""
        if answer is None or answer[:1] != b"\x05":
            return answer
        self.assertEqual(int.from_bytes(answer[4:8], "little"), len(answer) - 8)
        return GetHostResponse.FromString(answer[8:])

    def test_short_way_is_taken(self) -> None:
        shard = Shard()
        shard.datagram(asking(MODULES[0], 1), 0.0)
        shard.take_route(MODULES[0], HOSTS, 600.0, 0.0)
        for seq in range(1, 7):
            shard.datagram(asking(MODULES[0], seq), 0.0)
        frames = [reporting(MODULES[0], host, 0, 0) for host in HOSTS]
        for frame in frames:
            shard.datagram(frame, 0.0)
        shard.codec._parsed = None  # type: ignore[assignment,method-assign]
        for seq in (1, 127, 128, 2**14, 2**21, 2**28, 2**32 - 1):
            self.assertIsNotNone(shard.datagram(asking(MODULES[0], seq), 0.0))
        for frame in frames:
            shard.datagram(frame, 0.0)
        self.assertEqual(shard.counters.reports, 6)

    def test_host_that_leaves_takes_its_remembered_reports_along(self) -> None:
        shard = Shard()
        shard.datagram(asking(MODULES[0], 1), 0.0)
        shard.take_route(MODULES[0], HOSTS, 600.0, 0.0)
        for host in HOSTS:
            shard.datagram(reporting(MODULES[0], host, 0, 0), 0.0)
            shard.datagram(cpp_report(MODULES[0], host), 0.0)
        shard.take_route(MODULES[0], HOSTS[:1], 600.0, 0.0)
        self.assertEqual({host.address for host in shard.codec._known_reports.values()}, {HOSTS[0]})
        shard.modules[MODULES[0]].take_results(0.0)
        shard.directory.forget_unused(10**6, 3600.0)
        self.assertEqual((shard.codec._known_reports, shard.codec._by_fields), ({}, {}))
