"""The shard's two ways to an answer do the same, whatever comes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.balancer import BalancerSettings
from lars.agent.shard import Shard
from lars.route import HostAddress, ModuleId
from lars.wire.frames import encode_frame
from lars.wire.lars_pb2 import GetHostRequest, GetHostResponse, HostInfo, ReportRequest
from lars.wire.messages import MessageId

MODULES = [ModuleId(1, 1), ModuleId(1, 0), ModuleId(0, 1), ModuleId(300, 2**31 - 1)]
HOSTS = [HostAddress(0x7F000001, 9001), HostAddress(0xC0A801B1, 7777), HostAddress(1, 65535)]


class ParsingShard(Shard):
    """A shard without the short way."""

    def datagram(self, data: bytes, now: float) -> bytes | None:
        return self._parsed(data, now)


def varint(value: int, size: int = 0) -> bytes:
    """A varint, padded to a size as no encoder of ours does."""
    out = bytearray()
    while value > 127 or len(out) + 1 < size:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def get_host(module: ModuleId, seq: int) -> bytes:
    body = GetHostRequest(seq=seq, modid=module.modid, cmdid=module.cmdid).SerializeToString()
    return encode_frame(MessageId.GET_HOST_REQUEST, body)


def padded_get_host(module: ModuleId, seq: int, size: int) -> bytes:
    body = GetHostRequest(modid=module.modid, cmdid=module.cmdid).SerializeToString()
    return encode_frame(MessageId.GET_HOST_REQUEST, b"\x08" + varint(seq, size) + body)


def report(module: ModuleId, host: HostAddress, retcode: int, cost_ms: int) -> bytes:
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
    st.builds(get_host, modules, seqs),
    st.builds(padded_get_host, modules, st.integers(0, 2**64 - 1), st.integers(0, 10)),
    st.builds(report, modules, hosts, st.sampled_from([0, 0, 0, 1]), st.sampled_from([0, 0, 250])),
    st.builds(cpp_report, modules, hosts),
    st.builds(lambda data, at, byte: data[:at] + bytes([byte]) + data[at + 1 :],
              st.builds(get_host, modules, seqs) | st.builds(report, modules, hosts, st.just(0), st.just(0)),
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
                [(h.address, h.overloaded, h.vsucc, h.verr, h.rsucc, h.rerr, h.contin_succ, h.contin_err, h.reset_at)
                 for h in module.balancer.hosts.values()],
                module.used_at,
                module.has_calls,
            )
            for key, module in shard.modules.items()
        }  # fmt: skip

    @given(steps)
    @settings(max_examples=300, deadline=None)
    def test_both_ways_answer_and_count_alike(self, steps: list[tuple]) -> None:  # type: ignore[type-arg]
        asked: tuple[list[ModuleId], list[ModuleId]] = ([], [])
        shards = Shard(BalancerSettings(), asked[0].append), ParsingShard(BalancerSettings(), asked[1].append)
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
                self.assertEqual(*(shard.sweep(shard.modules.values(), now) for shard in shards))
            else:
                self.assertEqual(*(first in shard.modules and shard.modules[first].take_results() for shard in shards))
            self.assertEqual(*map(self.state, shards))
        self.assertEqual(*asked)
        counters = [{name: getattr(s.counters, name) for name in s.counters.__slots__} for s in shards]
        self.assertEqual(*counters)

    def read(self, answer: bytes | None) -> object:
        """The header and the parsed body of an answer."""
        if answer is None or answer[:1] != b"\x05":
            return answer
        self.assertEqual(int.from_bytes(answer[4:8], "little"), len(answer) - 8)
        return GetHostResponse.FromString(answer[8:])

    def test_short_way_is_taken(self) -> None:
        shard = Shard(BalancerSettings(), lambda _module: None)
        shard.datagram(get_host(MODULES[0], 1), 0.0)
        shard.take_route(MODULES[0], HOSTS, 600.0, 0.0)
        for seq in range(1, 7):
            shard.datagram(get_host(MODULES[0], seq), 0.0)
        frames = [report(MODULES[0], host, 0, 0) for host in HOSTS]
        for frame in frames:
            shard.datagram(frame, 0.0)
        shard._parsed = None  # type: ignore[assignment,method-assign]
        for seq in (1, 127, 128, 2**14, 2**21, 2**28, 2**32 - 1):
            self.assertIsNotNone(shard.datagram(get_host(MODULES[0], seq), 0.0))
        for frame in frames:
            shard.datagram(frame, 0.0)
        self.assertEqual(shard.counters.reports, 6)

    def test_host_that_leaves_takes_its_remembered_reports_along(self) -> None:
        shard = Shard(BalancerSettings(), lambda _module: None)
        shard.datagram(get_host(MODULES[0], 1), 0.0)
        shard.take_route(MODULES[0], HOSTS, 600.0, 0.0)
        for host in HOSTS:
            shard.datagram(report(MODULES[0], host, 0, 0), 0.0)
            shard.datagram(cpp_report(MODULES[0], host), 0.0)
        shard.take_route(MODULES[0], HOSTS[:1], 600.0, 0.0)
        self.assertEqual({host.address for host in shard._known_reports.values()}, {HOSTS[0]})
        shard.modules[MODULES[0]].take_results()
        shard.forget_unused(10**6, 3600.0)
        self.assertEqual((shard._known_reports, shard._by_name), ({}, {}))
