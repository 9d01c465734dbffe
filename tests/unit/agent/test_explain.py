"""How a shard explains its choices, page by page."""

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.explain import PAGE_HOSTS
from lars.balancing.host import MAX_WHY
from lars.balancing.policies import NAMES
from lars.route import HostAddress, ModuleId, parse_host
from lars.wire.frames import MAX_DATAGRAM_BODY, decode_datagram
from lars.wire.lars_pb2 import ExplainedHost, ExplainRequest, ExplainResponse
from lars.wire.messages import MessageId, encode_message
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking, failure

A, B = parse_host("192.168.1.177:7777"), parse_host("192.168.17.129:7001")


class ExplainTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.asked: list[ModuleId] = []
        self.shard = Shard(self.asked.append, "adaptive")

    def with_route(self, *hosts: HostAddress) -> None:
        self.shard.datagram(asking(), 0.0)
        self.shard.take_route(M, hosts or (A, B), 600.0, 0.0)

    def page(self, module: ModuleId = M, offset: int = 0, now: float = 1.0) -> ExplainResponse:
        request = ExplainRequest(seq=9, modid=module.modid, cmdid=module.cmdid, offset=offset)
        answer = self.shard.datagram(encode_message(MessageId.EXPLAIN_REQUEST, request), now)
        assert answer is not None
        message_id, body = decode_datagram(answer)
        self.assertEqual(message_id, MessageId.EXPLAIN_RESPONSE)
        page = ExplainResponse.FromString(body)
        self.assertEqual((page.seq, page.modid, page.cmdid, page.offset), (9, *module, offset))
        return page

    def test_each_host_has_its_share_and_reason(self) -> None:
        self.with_route()
        page = self.page()
        self.assertEqual((page.policy, page.total), ("adaptive", 2))
        self.assertEqual([(host.ip, host.port, host.ejected) for host in page.host], [(*A, False), (*B, False)])
        self.assertEqual({(host.share, host.why) for host in page.host}, {(0.5, "takes its share")})
        for host in page.host:
            self.assertEqual((host.HasField("latency"), host.HasField("next_probe")), (False, False))
            self.assertTrue(host.HasField("in_flight"))

    def test_ejected_host_has_its_next_probe(self) -> None:
        self.with_route()
        for _ in range(2):
            self.shard.datagram(failure(B), 0.0)
        host = self.page().host[1]
        self.assertEqual((host.ejected, host.share, host.failures), (True, 0.0, 1.0))
        self.assertGreater(host.next_probe, 0)

    def test_looking_neither_asks_for_a_module_nor_keeps_it(self) -> None:
        self.assertEqual((self.page().total, len(self.page().host)), (0, 0))
        self.assertEqual((self.asked, dict(self.shard.modules)), ([], {}))
        self.with_route()
        self.page(now=100.0)
        self.assertEqual(self.shard.modules[M].used_at, 0.0)

    def test_pages_hold_every_host_once(self) -> None:
        hosts = [HostAddress(n, 80) for n in range(1, 1203)]
        self.with_route(*hosts)
        seen: list[HostAddress] = []
        while len(seen) < self.page().total:
            page = self.page(offset=len(seen))
            self.assertLessEqual(len(page.host), PAGE_HOSTS)
            seen += [HostAddress(host.ip, host.port) for host in page.host]
        self.assertEqual(seen, hosts)
        self.assertEqual(list(self.page(offset=2**32 - 1).host), [])

    def test_longest_page_fits_a_datagram(self) -> None:
        host = ExplainedHost(
            ip=2**32 - 1,
            port=65_535,
            ejected=True,
            share=0.1,
            calls=1e9,
            failures=1e9,
            failures_in_a_row=2**32 - 1,
            in_flight=2**32 - 1,
            latency=9.9,
            next_probe=9.9,
            why="w" * MAX_WHY,
        )
        page = ExplainResponse(
            seq=2**32 - 1,
            modid=2**31 - 1,
            cmdid=2**31 - 1,
            offset=2**32 - 1,
            policy=max(NAMES, key=len),
            host=[host] * PAGE_HOSTS,
            total=4000,
        )
        self.assertLessEqual(len(page.SerializeToString()), MAX_DATAGRAM_BODY)
