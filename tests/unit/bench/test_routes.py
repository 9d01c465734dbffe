"""The routes that benchmarks load: frames of one size, edits that can be told apart."""

from twisted.trial.unittest import SynchronousTestCase

from bench.load.routes import Routes, edit_number
from bench.services.dns_client import Answer, answers, request
from lars.route import ModuleId
from lars.wire.lars_pb2 import GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, encode_message

ROUTES = Routes(modules=100_000)


def frame(module: ModuleId, index: int, edit: int) -> bytes:
    hosts = [HostInfo(ip=host.ip, port=host.port) for host in reversed(ROUTES.route(index, edit))]
    return encode_message(MessageId.GET_ROUTE_RESPONSE, GetRouteResponse(modid=module[0], cmdid=module[1], host=hosts))


class RoutesTests(SynchronousTestCase):
    def test_index_is_the_reverse_of_module(self) -> None:
        for index in (0, 1, 9_999, 10_000, 99_999):
            self.assertEqual(ROUTES.index(ROUTES.module(index)), index)

    def test_modids_are_those_of_the_modules(self) -> None:
        for modules in (1, 10_000, 10_001, 100_000):
            routes = Routes(modules)
            self.assertEqual(
                set(routes.modids),
                {routes.module(0).modid, routes.module(modules - 1).modid}
                | {routes.module(index).modid for index in range(0, modules, 10_000)},
            )

    def test_all_requests_and_answers_have_one_size(self) -> None:
        samples = [(index, edit) for index in (0, 9_999, 50_000, 99_999) for edit in (0, 1, 2_000)]
        self.assertEqual(len({len(request(ROUTES.module(index))) for index, _ in samples}), 1)
        self.assertEqual(len({len(frame(ROUTES.module(index), index, edit)) for index, edit in samples}), 1)

    def test_requests_go_round(self) -> None:
        routes = Routes(modules=3)
        expected = b"".join(request(routes.module(index)) for index in (2, 0, 1, 2))
        self.assertEqual(routes.requests(2, 4), expected)

    def test_answer_is_the_route_of_the_edit_that_made_it_and_of_no_other(self) -> None:
        [answer] = answers(frame(ROUTES.module(7), 7, 5))
        self.assertEqual((answer.module, edit_number(answer)), (ROUTES.module(7), 5))
        self.assertEqual([ROUTES.is_route(answer, edit) for edit in (0, 4, 5, 6)], [False, False, True, False])
        self.assertFalse(ROUTES.is_route(Answer(ROUTES.module(8), answer.hosts), 5))

    def test_answer_without_hosts_is_no_edit(self) -> None:
        self.assertEqual(edit_number(Answer(ROUTES.module(7), [])), 0)
