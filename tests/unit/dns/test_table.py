"""The route table: what is served, what is refused, what differs."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.dns.table import Refused, Routes, RouteTable, pack_routes, unpack_hosts
from lars.route import HostAddress, ModuleId, RouteRow
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetRouteResponse

M, N = ModuleId(1, 1), ModuleId(1, 2)


def packed(*rows: RouteRow) -> Routes:
    return dict(pack_routes(rows, Refused()))


def decoded(frame: bytes) -> GetRouteResponse:
    return GetRouteResponse.FromString(decode_datagram(frame)[1])


class PackTests(SynchronousTestCase):
    def test_hosts_of_a_module_are_kept_together_in_order(self) -> None:
        routes = packed((1, 1, 10, 80), (1, 1, 11, 81), (1, 2, 10, 80))
        self.assertEqual(unpack_hosts(routes[M]), [HostAddress(10, 80), HostAddress(11, 81)])
        self.assertEqual(unpack_hosts(routes[N]), [HostAddress(10, 80)])

    def test_impossible_rows_are_refused_by_name_and_the_rest_served(self) -> None:
        refused = Refused()
        rows = [(0, 0, 10, 80), (1, 1, 0, 80), (1, 1, 10, 0), (1, 1, 10, 80), (1, 1, 10, 65536), (2**31, 1, 10, 80)]
        self.assertEqual(list(dict(pack_routes(rows, refused))), [M])
        self.assertEqual(refused.count, 5)
        self.assertIn("module (1, 1): no host has ip 0 and port 80", refused.examples)

    def test_what_is_no_number_is_refused_by_name_and_the_rest_served(self) -> None:
        refused = Refused()
        rows: list[Any] = [
            (1, 1, 10, 80),
            (1, 1, 10, 80.5),
            (1, 1, "10.0.0.1", 80),
            (1, 1, b"\x0a", None),
            (1, 1.5, 10, 80),
            ("one", 1, 10, 80),
        ]
        self.assertEqual(list(dict(pack_routes(rows, refused))), [M])
        self.assertEqual(refused.count, 5)
        self.assertIn("module (1, 1): no host has ip 10.0.0.1 and port 80", refused.examples)

    def test_excess_hosts_are_cut_in_order(self) -> None:
        refused = Refused()
        routes = dict(pack_routes([(1, 1, ip, 80) for ip in range(1, 4002)], refused))
        self.assertEqual(len(unpack_hosts(routes[M])), 4000)
        self.assertEqual(unpack_hosts(routes[M])[-1].ip, 4000)
        self.assertEqual(refused.count, 1)

    def test_host_that_stands_twice_is_served_once(self) -> None:
        self.assertEqual(len(unpack_hosts(packed((1, 1, 10, 80), (1, 1, 10, 80))[M])), 1)


class RouteTableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.table = RouteTable(fresh_ms=1000)
        for module, hosts in packed((1, 1, 10, 80), (1, 1, 11, 80), (1, 2, 10, 80)).items():
            self.table.put(module, hosts)

    def put(self, module: ModuleId, *rows: RouteRow) -> bool | None:
        return self.table.put(module, packed(*rows).get(module, b""))

    def test_answer_holds_the_hosts_and_how_long_it_is_fresh(self) -> None:
        answer = decoded(self.table.frame(M))
        self.assertEqual([(h.ip, h.port) for h in answer.host], [(10, 80), (11, 80)])
        self.assertEqual((answer.modid, answer.cmdid, answer.fresh_ms), (1, 1, 1000))

    def test_answer_is_encoded_once_for_each_version(self) -> None:
        before = self.table.frame(M)
        self.assertIs(self.table.frame(M), before)
        self.put(M, (1, 1, 10, 80))
        self.assertIsNot(self.table.frame(M), before)

    def test_unknown_module_has_no_hosts_and_costs_no_memory(self) -> None:
        self.assertEqual(len(decoded(self.table.frame(ModuleId(9, 9))).host), 0)
        self.assertIsNot(self.table.frame(ModuleId(9, 9)), self.table.frame(ModuleId(9, 9)))

    def test_equal_route_is_no_change(self) -> None:
        before = self.table.changes
        self.assertIsNone(self.put(M, (1, 1, 10, 80), (1, 1, 11, 80)))
        self.assertIsNone(self.put(ModuleId(9, 9)))
        self.assertEqual(self.table.changes, before)

    def test_change_says_whether_a_host_was_lost(self) -> None:
        self.assertIs(self.put(M, (1, 1, 10, 80), (1, 1, 11, 80), (1, 1, 12, 80)), False)
        self.assertIs(self.put(M, (1, 1, 10, 80), (1, 1, 11, 80), (1, 1, 13, 80)), True)
        self.assertIs(self.put(M), True)
        self.assertIs(self.put(M, (1, 1, 10, 80)), False)

    def test_counts_follow_the_changes(self) -> None:
        self.assertEqual((len(self.table), self.table.hosts), (2, 3))
        self.put(M)
        self.put(ModuleId(3, 3), (3, 3, 10, 80))
        self.assertEqual((len(self.table), self.table.hosts), (2, 2))
