"""The route table: what is served, what is refused, what differs."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.dns.packed_route import pack, unpack
from lars.dns.table import Refused, Routes, RouteTable, pack_routes
from lars.module_settings import MAX_JSON
from lars.route import MAX_HOSTS, HostAddress, ModuleId, RouteRow
from lars.wire.frames import HEADER_SIZE, MAX_BODY
from lars.wire.lars_pb2 import GetRouteResponse
from lars.wire.rich_routes import MAX_RICH_ROUTE
from tests.unit.dns.plain_rows import Plain, plain_rows


def unpack_hosts(packed: bytes) -> list[HostAddress]:
    return [host.address for host in unpack(packed).hosts]


M, N = ModuleId(1, 1), ModuleId(1, 2)


def packed(*rows: Plain) -> Routes:
    return dict(pack_routes(plain_rows(rows), {}, Refused()))


def decoded(frame: bytes) -> GetRouteResponse:
    return GetRouteResponse.FromString(frame[HEADER_SIZE:])


class PackTests(SynchronousTestCase):
    def test_hosts_of_a_module_are_kept_together_in_order(self) -> None:
        routes = packed((1, 1, 10, 80), (1, 1, 11, 81), (1, 2, 10, 80))
        self.assertEqual(unpack_hosts(routes[M]), [HostAddress(10, 80), HostAddress(11, 81)])
        self.assertEqual(unpack_hosts(routes[N]), [HostAddress(10, 80)])

    def test_impossible_rows_are_refused_by_name_and_the_rest_served(self) -> None:
        refused = Refused()
        rows = [(0, 0, 10, 80), (1, 1, 0, 80), (1, 1, 10, 0), (1, 1, 10, 80), (1, 1, 10, 65536), (2**31, 1, 10, 80)]
        self.assertEqual(list(dict(pack_routes(plain_rows(rows), {}, refused))), [M])
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
        self.assertEqual(list(dict(pack_routes(plain_rows(rows), {}, refused))), [M])
        self.assertEqual(refused.count, 5)
        self.assertIn("module (1, 1): no host has ip 10.0.0.1 and port 80", refused.examples)

    def test_excess_hosts_are_cut_in_order(self) -> None:
        refused = Refused()
        routes = dict(pack_routes(plain_rows((1, 1, ip, 80) for ip in range(1, 4002)), {}, refused))
        self.assertEqual(len(unpack_hosts(routes[M])), 4000)
        self.assertEqual(unpack_hosts(routes[M])[-1].ip, 4000)
        self.assertEqual(refused.count, 1)

    def test_host_that_stands_twice_is_served_once(self) -> None:
        self.assertEqual(len(unpack_hosts(packed((1, 1, 10, 80), (1, 1, 10, 80))[M])), 1)

    def test_what_sql_wrote_and_no_host_can_have_is_served_with_its_default(self) -> None:
        refused = Refused()
        rows: list[Any] = [(1, 1, 10, 80, 1001, "b"), (1, 1, 11, 80, "x", ""), (1, 1, 12, 80, 7, "East Coast")]
        routes = dict(pack_routes(rows, {}, refused))
        self.assertEqual({(host.weight, host.zone) for host in unpack(routes[M]).hosts}, {(100, "")})
        self.assertEqual(refused.count, 3)
        self.assertIn("weight '1001' is not a number from 0 to 1000", refused.examples[0])

    def test_settings_that_are_too_long_are_not_served(self) -> None:
        refused = Refused()
        routes = dict(pack_routes(plain_rows([(1, 1, 10, 80)]), {M: "x" * (MAX_JSON + 1)}, refused))
        self.assertEqual((unpack(routes[M]).settings, refused.count), ("", 1))


class RichRouteTests(SynchronousTestCase):
    """What agents of this version are sent, and what those before it."""

    def setUp(self) -> None:
        self.table = RouteTable(fresh_ms=1000)
        rows: list[RouteRow] = [(1, 1, 10, 80, 0, "a"), (1, 1, 11, 80, 50, "b"), (1, 2, 10, 80, 100, "")]
        for module, route in pack_routes(rows, {M: '{"panic":false}'}, Refused()):
            self.table.put(module, route)

    def test_rich_answer_has_weights_zones_and_settings(self) -> None:
        answer = decoded(self.table.frame(M))
        hosts = [(h.ip, h.weight, h.HasField("weight"), h.zone) for h in answer.host]
        self.assertEqual(hosts, [(10, 0, True, "a"), (11, 50, True, "b")])
        self.assertEqual(answer.settings.json, '{"panic":false}')

    def test_plain_answer_has_the_addresses_that_are_not_drained_and_nothing_more(self) -> None:
        wanted = GetRouteResponse(modid=1, cmdid=1, fresh_ms=1000)
        wanted.host.add(ip=11, port=80)
        self.assertEqual(self.table.plain_frame(M)[HEADER_SIZE:], wanted.SerializeToString())

    def test_plain_answer_has_all_hosts_where_none_has_weight(self) -> None:
        self.table.put(M, pack([(10, 80, 0, ""), (11, 80, 0, "")]))
        self.assertEqual([h.ip for h in decoded(self.table.plain_frame(M)).host], [10, 11])

    def test_a_plain_route_has_one_frame_for_all(self) -> None:
        self.assertIs(self.table.frame(N), self.table.plain_frame(N))

    def test_plain_answer_follows_the_route(self) -> None:
        self.table.plain_frame(M)
        self.table.put(M, pack([(12, 80, 7, "")]))
        self.assertEqual([h.ip for h in decoded(self.table.plain_frame(M)).host], [12])

    def test_the_fullest_route_fits_its_frame_and_the_plain_one_every_agents(self) -> None:
        hosts = [(2**32 - ip, 65535, 1000, f"{ip:064}") for ip in range(1, MAX_HOSTS + 1)]
        self.table.put(M, pack(hosts, "x" * MAX_JSON))
        self.assertLess(len(self.table.frame(M)), MAX_RICH_ROUTE)
        self.assertLess(len(self.table.plain_frame(M)), MAX_BODY)

    def test_a_drained_host_is_lost_to_agents_that_know_no_weights(self) -> None:
        drained, whole = pack([(10, 80, 0, ""), (11, 80, 100, "")]), pack([(10, 80, 100, ""), (11, 80, 100, "")])
        self.assertIs(self.table.put(N, whole), False)
        self.assertIs(self.table.put(N, drained), True)
        self.assertIs(self.table.put(N, pack([(10, 80, 0, ""), (11, 80, 7, "b")])), False)
        self.assertIs(self.table.put(N, whole), False)


class RouteTableTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.table = RouteTable(fresh_ms=1000)
        for module, hosts in packed((1, 1, 10, 80), (1, 1, 11, 80), (1, 2, 10, 80)).items():
            self.table.put(module, hosts)

    def put(self, module: ModuleId, *rows: Plain) -> bool | None:
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
