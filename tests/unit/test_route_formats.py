"""Import and export of routes: what is read, how it is written, and how each bad line is named."""

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.errors import BadInput
from lars.host_record import KEEP, PLAIN, HostChange, HostRecord, HostRow
from lars.route import MAX_HOSTS, HostAddress, ModuleId, parse_host
from lars.route_formats import Routes, as_csv, as_objects, is_route, read_routes

HEADER = "modid,cmdid,ip,port\n"
FIRST = "modid,cmdid,ip,port and may go on with weight,zone,tags,note"

ROUTES = {
    ModuleId(1, 1): dict.fromkeys(map(parse_host, ("10.0.0.1:80", "10.0.0.2:81")), KEEP),
    ModuleId(2, 1): {parse_host("10.1.0.1:9000"): KEEP},
}

records = st.builds(
    HostRecord,
    weight=st.integers(0, 1000),
    zone=st.sampled_from(["", "eu-1.b"]),
    tags=st.sampled_from([(), ("a", "rack=7", "x-y")]),
    note=st.sampled_from(["", 'new "disk", soon', "支"]),
)

rows = st.lists(
    st.tuples(
        st.integers(1, 2**31 - 1),
        st.integers(0, 2**31 - 1),
        st.integers(1, 2**32 - 1),
        st.integers(1, 65535),
        st.one_of(st.just(PLAIN), records),
    ),
    max_size=20,
)


def by_module(some: list[HostRow], plain: HostChange) -> Routes:
    """What is read of a file of the rows, where a plain host reads as `plain`."""
    hosts: Routes = {}
    for modid, cmdid, ip, port, record in some:
        change = HostChange(record.weight, record.zone, record.tags, record.note) if record is not PLAIN else plain
        hosts.setdefault(ModuleId(modid, cmdid), {})[HostAddress(ip, port)] = change
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

    def test_spreadsheets_may_separate_values_by_semicolons_or_tabs(self) -> None:
        text = HEADER + "1,1,10.0.0.1,80\n1,1,10.0.0.2,81\n2,1,10.1.0.1,9000\n"
        for other in (";", "\t"):
            self.assertEqual(read_routes("routes.csv", f"\ufeff{text}".replace(",", other).encode()), ROUTES)
        self.assertEqual(
            self.problems("modid;cmdid;ip;port\n1;1\n"), ["2: 2 values where modid,cmdid,ip,port are wanted"]
        )

    def test_json_is_read_with_numbers_or_texts(self) -> None:
        text = """[{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80},
            {"port": "81", "ip": "10.0.0.2", "cmdid": "1", "modid": "1"},
            {"modid": 2, "cmdid": 1, "ip": "10.1.0.1", "port": 9000}]"""
        self.assertEqual(read_routes("routes.json", text.encode()), ROUTES)

    def test_a_file_may_say_more_of_each_host(self) -> None:
        host = parse_host("10.0.0.1:80")
        csv = "modid,cmdid,ip,port,zone,weight,tags,note\n"
        wanted = HostChange(50, "b", ("x", "y"), "new disk")
        for name, text, change in (
            ("f.csv", csv + '1,1,10.0.0.1,80,b,50,"y, x",new disk\n', wanted),
            ("f.csv", csv + "1,1,10.0.0.1,80,,,,\n", HostChange(None, "", (), "")),
            ("f.csv", "modid,cmdid,ip,port,weight\n1,1,10.0.0.1,80,0\n", HostChange(weight=0)),
            (
                "f.json",
                (
                    '[{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "weight": 50, "zone": "b", '
                    '"tags": ["y", "x"], "note": "new disk"}]'
                ),
                wanted,
            ),
        ):
            self.assertEqual(read_routes(name, text.encode()), {ModuleId(1, 1): {host: change}})

    def test_bad_values_of_a_host_are_named_by_their_line(self) -> None:
        csv = "modid,cmdid,ip,port,weight,zone\n1,1,10.0.0.1,80,-1,a\n1,1,10.0.0.2,80,1001,a b\n1,1,10.0.0.3,80,x,\n"
        self.assertEqual(
            self.problems(csv),
            [
                "2: weight '-1' is not a number from 0 to 1000",
                (
                    "3: weight '1001' is not a number from 0 to 1000; zone 'a b' is not a zone: use up to 64 of a-z, "
                    "0-9, dot and hyphen"
                ),
                "4: weight 'x' is not a number from 0 to 1000",
            ],
        )
        json_text = '[{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "tags": "a", "weight": 5}]'
        (problem,) = self.problems(json_text)
        self.assertTrue(problem.startswith("1: tags 'a' are not tags: use at most 20"), problem)

    def test_number_is_no_text(self) -> None:
        for value in ('"note": 0', '"zone": 1', '"tags": 7', '"tags": ["a", 7]', '"zone": 1.5', '"note": NaN'):
            (problem,) = self.problems(f'[{{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, {value}}}]')
            self.assertTrue(problem.startswith("1: ") and problem.endswith("is a number: a text is wanted"), problem)

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
            {"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "wait": 3}
        ]"""
        wanted = "an object with modid, cmdid, ip, port, perhaps weight, zone, tags, note, and no more is wanted"
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
            ("", f"1: the first line must be {FIRST}, and there is none"),
            ("a,b\n1,2\n", f"1: the first line must be {FIRST}, not 'a,b'"),
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
    def test_what_is_written_is_read_back(self, some: list[HostRow]) -> None:
        default = HostChange(100, "", (), "")
        plain = KEEP if all(record is PLAIN for *_route, record in some) else default
        self.assertEqual(read_routes("f.csv", as_csv(some).encode()), by_module(some, plain))
        self.assertEqual(read_routes("f.json", json.dumps(as_objects(some)).encode()), by_module(some, default))

    def test_csv_has_the_columns_that_some_host_needs(self) -> None:
        plain = (1, 1, 0x0A000001, 80, PLAIN)
        self.assertEqual(as_csv([plain]), HEADER + "1,1,10.0.0.1,80")
        full = (1, 1, 0x0A000002, 80, HostRecord(50, "b", ("x", "y"), "new disk"))
        self.assertEqual(
            as_csv([plain, full]),
            'modid,cmdid,ip,port,weight,zone,tags,note\n1,1,10.0.0.1,80,100,,,\n1,1,10.0.0.2,80,50,b,"x,y",new disk',
        )

    def test_what_sql_wrote_and_no_host_can_have_is_written_as_it_is_served(self) -> None:
        odd = HostRecord(5000, "East Coast", ("a b",), "two\nlines")
        self.assertEqual(
            as_objects([(1, 1, 0x0A000001, 80, odd)]),
            [{"modid": 1, "cmdid": 1, "ip": "10.0.0.1", "port": 80, "weight": 100, "zone": "", "tags": [], "note": ""}],
        )

    def test_rows_that_sql_wrote_and_no_service_uses_are_told_apart(self) -> None:
        self.assertTrue(is_route((1, 0, 1, 1, PLAIN)))
        for row in ((0, 0, 1, 1), (2**31, 1, 1, 1), (1, 2**31, 1, 1), (1, 1, 0, 1), (1, 1, 2**32, 1), (1, 1, 1, 0)):
            self.assertFalse(is_route((*row, PLAIN)), row)
        self.assertFalse(is_route((1, 1, 1, 65536, PLAIN)))
