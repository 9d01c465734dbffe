"""The list of a shard's modules, page by page."""

from twisted.trial.unittest import SynchronousTestCase

from lars.route import HostAddress, ModuleId, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import ModuleListRequest, ModuleListResponse
from lars.wire.messages import MessageId, encode_message
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking, batch, failure

A, B = parse_host("192.168.1.177:7777"), parse_host("192.168.17.129:7001")


class ModuleListTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shard = Shard()

    def with_route(self, *hosts: HostAddress) -> None:
        self.shard.datagram(asking(), 0.0)
        self.shard.take_route(M, hosts or (A, B), 600.0, 0.0)

    def page(self, offset: int = 0) -> ModuleListResponse:
        request = encode_message(MessageId.MODULE_LIST_REQUEST, ModuleListRequest(seq=3, offset=offset))
        answer = self.shard.datagram(request, 0.0)
        assert answer is not None
        message_id, body = decode_datagram(answer)
        self.assertEqual(message_id, MessageId.MODULE_LIST_RESPONSE)
        return ModuleListResponse.FromString(body)

    def test_counts_run_on_when_they_are_taken_for_the_reporter(self) -> None:
        self.with_route()
        for succ in (3, 4):
            self.shard.datagram(batch((A, succ)), 0.0)
            self.shard.datagram(failure(B), 0.0)
            self.shard.modules[M].take_results(0.0)
        page = self.page()
        self.assertEqual((page.seq, page.offset, page.total), (3, 0, 1))
        (module,) = page.module
        told = [(host.ip, host.port, host.succ, host.err, host.overload) for host in module.host]
        self.assertEqual(told, [(*A, 7, 0, False), (*B, 0, 2, False)])

    def test_pages_hold_every_module_once(self) -> None:
        hosts = [HostAddress(n, 80) for n in range(1, 8)]
        for cmdid in range(1, 251):
            self.shard.datagram(asking(ModuleId(1, cmdid)), 0.0)
            self.shard.take_route(ModuleId(1, cmdid), hosts, 600.0, 0.0)
        seen: list[int] = []
        while (page := self.page(len(seen))).module:
            self.assertLessEqual(len(page.SerializeToString()), 32_000)
            seen += [module.cmdid for module in page.module]
        self.assertEqual(seen, list(range(1, 251)))

    def test_module_too_large_for_a_page_is_cut(self) -> None:
        self.with_route(*(HostAddress(n, 80) for n in range(1, 4001)))
        (module,) = self.page().module
        self.assertEqual((len(module.host), module.left_out), (500, 3500))
