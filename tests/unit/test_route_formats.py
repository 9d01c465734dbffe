"""Import and export of routes: what is read, how it is written, and how each bad line is named."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import BadInput
from lars.route import MAX_HOSTS, HostAddress, ModuleId, RouteRow, parse_host
from lars.route_formats import as_csv, as_objects, is_route, read_routes

HEADER = "modid,cmdid,ip,port\n"

ROUTES = {
    ModuleId(1, 1): frozenset(map(parse_host, ("10.0.0.1:80", "10.0.0.2:81"))),
    ModuleId(2, 1): frozenset([parse_host("10.1.0.1:9000")]),
}

rows = st.lists(
    st.tuples(st.integers(1, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(1, 2**32 - 1), st.integers(1, 65535)),
    max_size=20,
)


def by_module(some: list[RouteRow]) -> dict[ModuleId, set[HostAddress]]:
    hosts: dict[ModuleId, set[HostAddress]] = {}
    for modid, cmdid, ip, port in some:
        hosts.setdefault(ModuleId(modid, cmdid), set()).add(HostAddress(ip, port))
    return hosts


class ReadTests(SynchronousTestCase):
    def problems(self, text: str, name: str = "f") -> list[str]:
        """What is said of a file with bad lines."""
        bad = self.assertRaises(BadInput, read_routes, name, text.encode())
        return [problem.removeprefix(f"{name}, line ") for problem in bad.problems]

    def test_csv_is_read_whatever_the_order_of_its_columns_and_the_blanks_in_it(self) -> None:
        for text in (
            HEADER + "1,1,10.0.0.1,80\n1,1,10.0.0.2,81\n2,1,10.1.0.1,9000\n",
            "\ufeff" + HEADER + "1,1,10.0.0.1,80\r\n1,1,10.0.0.2,81\r\n2,1,10.1.0.1,9000",
            "\n ModID , cmdid,ip,port\n\n 1, 1, 10.0.0.1, 80\n1,1,10.0.0.2,81\n\n2,1,10.1.0.1,9000\n1,1,10.0.0.2,81\n",
            'port,"ip",cmdid,modid\n80,10.0.0.1,1,1\n81,10.0.0.2,1,1\n9000,"10.1.0.1",1,2\n',
        ):
            self.assertEqual(read_routes("routes.csv", text.encode()), ROUTES)

    def test_json_is_read_with_numbers_or_texts(self) -> None:
        text = """[{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80},
            {"port": "81", "ip": "10.0.0.2", "cmdid": "1", "modid": "1"},
            {"modid": 2, "cmdid": 1, "ip": "10.1.0.1", "port": 9000}]"""
        self.assertEqual(read_routes("routes.json", text.encode()), ROUTES)

    def test_content_tells_json_from_csv_where_the_name_does_not(self) -> None:
        self.assertEqual(read_routes("standard input", b" []"), {})
        self.assertEqual(read_routes("standard input", HEADER.encode()), {})
        self.assertEqual(self.problems("[]", "f.csv")[0][:30], "1: the first line must be modi")
        self.assertEqual(self.problems(HEADER, "f.json"), ["1: not JSON: Expecting value"])

    def test_every_bad_line_is_named(self) -> None:
        text = HEADER + (
            "1,1,10.0.0.300,80\n1,1\n7,7,7.7.7.7,7\n-1,1,10.0.0.2,81\n0,0,10.1.0.1,9000\n1,1,10.0.0.1,99999\n"
            "1,1,0.0.0.0,1\n3000000000,1,1.1.1.1,1\n1,99999999999,1.1.1.1,1\n1,1,localhost,1\n"
        )
        for problem, (line, part) in zip(
            self.problems(text),
            (
                (2, "'10.0.0.300' is not an IPv4 address"),
                (3, "2 values where modid,cmdid,ip,port are wanted"),
                (5, "modid '-1' is not a number"),
                (6, "module (0, 0) does not exist"),
                (7, "'99999' is not a port"),
                (8, "0.0.0.0 is not a host's address"),
                (9, "modid 3000000000 is out of range"),
                (10, "cmdid '99999999999' is not a number"),
                (11, "'localhost' is not an IPv4 address"),
            ),
            strict=True,
        ):
            self.assertTrue(problem.startswith(f"{line}: {part}"), problem)

    def test_every_bad_element_is_named_by_its_line(self) -> None:
        text = """[
            {"modid": 1, "cmdid": 1.5, "ip": "10.0.0.1", "port": 80}, {"modid": 1, "cmdid": 1,

             "ip": "10.0.0.1", "port": true},
            {"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80}, 7,
            {"modid": 1},
            {"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "weight": 3}
        ]"""
        wanted = "an object with modid, cmdid, ip, port and nothing else is wanted"
        self.assertEqual(
            self.problems(text),
            [
                "2: cmdid '1.5' is not a number from 0 to 2147483647",
                "2: port true is neither a number nor a text",
                f"5: {wanted}",
                f"6: {wanted}",
                f"7: {wanted}",
            ],
        )

    def test_what_is_no_csv_or_json_at_all_is_one_problem(self) -> None:
        for text, problem in (
            ("", "1: the first line must be modid,cmdid,ip,port, and there is none"),
            ("a,b\n1,2\n", "1: the first line must be modid,cmdid,ip,port, not 'a,b'"),
            (HEADER + '1,1,"10.0.0.1,80\n', "2: not CSV: unexpected end of data"),
            ("[1,\n", "2: not JSON: Expecting value"),
            ('{"modid": 1}', "1: the file must be a list of objects with modid, cmdid, ip, port"),
        ):
            self.assertEqual(self.problems(text), [problem])

    def test_list_of_lists_without_end_is_one_problem_whether_python_reads_it_or_not(self) -> None:
        for depth in (10_000, 1_000_000):  # the first is too deep for Python 3.11, the second for every one
            (problem,) = self.problems("[" * depth + "]" * depth)
            self.assertRegex(problem, "^1: (an object|the file must be a list of objects) with modid, cmdid, ip, port")

    def test_bytes_that_are_no_text_are_named_by_their_line(self) -> None:
        bad = self.assertRaises(BadInput, read_routes, "f", HEADER.encode() + b"1,1,10.0.0.1,80\n\xff")
        self.assertEqual(bad.problems, ["f, line 3: not UTF-8 text"])

    def test_module_with_too_many_hosts_is_named_once(self) -> None:
        lines = [f"1,1,10.0.{n // 256}.{n % 256},80" for n in range(1, MAX_HOSTS + 4)]
        self.assertEqual(
            self.problems(HEADER + "\n".join(lines)),
            [f"{MAX_HOSTS + 2}: module (1, 1) has more than {MAX_HOSTS} hosts from here on"],
        )

    @given(st.sampled_from(["", HEADER, "[", '[{"modid": ']), st.text(max_size=100), st.sampled_from(["", ".csv"]))
    def test_no_text_can_raise_anything_but_bad_input(self, start: str, text: str, end: str) -> None:
        try:
            read_routes(f"f{end}", (start + text).encode("utf-8", "surrogatepass"))
        except BadInput as bad:
            self.assertTrue(bad.problems)


class WriteTests(SynchronousTestCase):
    @given(rows)
    def test_what_is_written_is_read_back(self, some: list[RouteRow]) -> None:
        self.assertEqual(read_routes("f.csv", as_csv(some).encode()), by_module(some))
        self.assertEqual(read_routes("f.json", json.dumps(as_objects(some)).encode()), by_module(some))

    def test_rows_that_sql_wrote_and_no_service_uses_are_told_apart(self) -> None:
        self.assertTrue(is_route((1, 0, 1, 1)))
        for row in ((0, 0, 1, 1), (2**31, 1, 1, 1), (1, 2**31, 1, 1), (1, 1, 0, 1), (1, 1, 2**32, 1), (1, 1, 1, 0)):
            self.assertFalse(is_route(row), row)
        self.assertFalse(is_route((1, 1, 1, 65536)))
