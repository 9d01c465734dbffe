"""What programs send: values, or a problem that names what is wrong."""

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.modules import MAX_NAME, ModuleSearch
from lars.route import ModuleId, parse_host
from lars.web.api.input import (
    choice,
    cursor_after,
    etags,
    flag,
    host_of,
    hosts_of,
    json_object,
    module_of,
    name_of,
    number,
    search_of,
)
from lars.web.api.problems import Problem

JSON = "application/json; charset=utf-8"


class InputTestCase(SynchronousTestCase):
    def refused(self, status: int, function: Callable[..., object], *args: object) -> str:
        problem = self.assertRaises(Problem, function, *args)
        self.assertEqual(problem.status, status)
        return str(problem)


class PathTests(InputTestCase):
    def test_module_and_hosts(self) -> None:
        self.assertEqual(module_of(1, 2), ModuleId(1, 2))
        self.refused(404, module_of, 2**31, 0)
        self.assertEqual(host_of("10.0.0.1:80", "host"), parse_host("10.0.0.1:80"))
        for wrong in ("10.0.0.1", " 10.0.0.1:80", "0.0.0.0:80", "x:1", 7, None):
            self.assertIn("add[0]", self.refused(400, host_of, wrong, "add[0]"))

    def test_list_of_hosts_names_the_wrong_one(self) -> None:
        self.assertEqual(hosts_of([], "add"), frozenset())
        self.assertIn("add[1]", self.refused(400, hosts_of, ["10.0.0.1:80", "x"], "add"))
        self.refused(400, hosts_of, "10.0.0.1:80", "add")

    def test_list_of_too_many_hosts_is_refused_though_it_repeats_one(self) -> None:
        self.assertEqual(len(hosts_of(["10.0.0.1:80"] * 4000, "add")), 1)
        self.assertIn("add: 4001 hosts; 4000 at most", self.refused(400, hosts_of, ["10.0.0.1:80"] * 4001, "add"))


class QueryTests(InputTestCase):
    def test_number_in_its_range(self) -> None:
        self.assertEqual((number({}, "n", 5, 1, 9), number({"n": "9"}, "n", 5, 1, 9)), (5, 9))
        for wrong in ("0", "10", "x", "", "1.5", "-", "9" * 30):
            self.assertIn("from 1 to 9", self.refused(400, number, {"n": wrong}, "n", 5, 1, 9))

    def test_choice_and_flag(self) -> None:
        self.assertEqual((choice({}, "c", ("a", "b")), choice({"c": "b"}, "c", ("a", "b"))), ("a", "b"))
        self.assertIn("a, b", self.refused(400, choice, {"c": "x"}, "c", ("a", "b")))
        self.assertEqual((flag({}, "f"), flag({"f": "true"}, "f")), (False, True))
        self.refused(400, flag, {"f": "yes"}, "f")

    def test_search(self) -> None:
        self.assertEqual(search_of({}), ModuleSearch("", "module", False, 0, 100))
        self.assertEqual(
            search_of({"search": "pay", "sort": "hosts", "order": "desc", "limit": "7", "cursor": "o14"}),
            ModuleSearch("pay", "hosts", True, 14, 7),
        )
        self.refused(400, search_of, {"search": "x" * 201})
        self.refused(400, search_of, {"cursor": "x"})

    @given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.booleans())
    def test_cursor_leads_to_the_page_after_it(self, modid: int, cmdid: int, by_module: bool) -> None:
        search = ModuleSearch("", "module" if by_module else "hosts", False, 20, 10)
        cursor = cursor_after(search, ModuleId(modid, cmdid))
        following = search_of({"sort": search.sort, "limit": "10", "cursor": cursor})
        if by_module:
            self.assertEqual(following.after, ModuleId(modid, cmdid))
        else:
            self.assertEqual(following.offset, 30)


class BodyTests(InputTestCase):
    def test_object_has_known_keys_and_the_required_ones(self) -> None:
        keys = {"hosts": True, "note": False}
        self.assertEqual(json_object(b'{"hosts": []}', JSON, keys), {"hosts": []})
        self.assertIn("'hosts'", self.refused(400, json_object, b"{}", JSON, keys))
        self.assertIn("'x'", self.refused(400, json_object, b'{"hosts": [], "x": 1}', JSON, keys))

    def test_other_bodies_are_refused(self) -> None:
        for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000, json.dumps("text").encode()):
            self.refused(400, json_object, body, JSON, {})
        self.refused(415, json_object, b"{}", "text/plain", {})

    def test_name_is_printable_without_blanks_around_it(self) -> None:
        self.assertEqual((name_of(""), name_of("付款 a")), ("", "付款 a"))
        for wrong in (" a", "a\n", "a\x00b", "x" * (MAX_NAME + 1), None, 7):
            self.refused(400, name_of, wrong)


class EtagTests(SynchronousTestCase):
    def test_strong_tags_of_a_header(self) -> None:
        self.assertIsNone(etags(" "))
        self.assertEqual(etags("*"), {"*"})
        self.assertEqual(etags('"a", "b"'), {"a", "b"})
        self.assertEqual(etags('W/"weak", "strong"'), {"strong"})
