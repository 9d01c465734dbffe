"""What programs send: values, or a problem that names what is wrong."""

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.modules import MAX_NAME, Module, ModuleSearch
from lars.errors import BadInput
from lars.host_record import MAX_DRAIN, MAX_TAGS, Drain, HostChange
from lars.route import ModuleId, parse_host
from lars.web.api.input import (
    any_object,
    change_of,
    choice,
    cursor_after,
    drain_of,
    etags,
    flag,
    host_of,
    hosts_of,
    is_seen,
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


class RecordTests(InputTestCase):
    def change(self, **values: object) -> HostChange:
        return change_of(json.dumps(values).encode(), JSON)

    def test_what_is_absent_stays(self) -> None:
        self.assertEqual(self.change(), HostChange())
        self.assertEqual(
            self.change(weight=50.0, zone="b", tags=["y", "x"], note=""), HostChange(50, "b", ("x", "y"), "")
        )

    def test_each_fault_names_its_field_and_what_to_write(self) -> None:
        for values, problem in (
            ({"weight": -1}, "weight '-1' is not a number from 0 to 1000"),
            ({"weight": 1001}, "weight '1001' is not a number from 0 to 1000"),
            ({"weight": 1.5}, "weight '1.5' is not a number from 0 to 1000"),
            ({"weight": True}, "weight 'true' is not a number from 0 to 1000"),
            ({"weight": None}, "weight 'null' is not a number from 0 to 1000"),
            ({"zone": "east coast"}, "zone 'east coast' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen"),
            ({"tags": "x"}, "tags 'x' are not tags: use at most 20"),
            ({"note": "a\nb"}, "is not a line of at most 255 printable characters"),
        ):
            (line,) = self.assertRaises(BadInput, self.change, **values).problems
            self.assertIn(problem, line)
        self.assertIn("weight: write a number from 0 to 1000", self.refused(400, change_of, b'{"weight": "x"}', JSON))
        body = json.dumps({"tags": ["x"] * (MAX_TAGS + 1)}).encode()
        self.assertIn("tags: 21 of them; 20 at most", self.refused(400, change_of, body, JSON))
        self.assertIn("unknown: use weight, zone, tags, note", self.refused(400, change_of, b'{"wieght": 1}', JSON))
        self.refused(415, change_of, b"{}", "text/plain")


class DrainTests(InputTestCase):
    now = 1_800_000_000.5

    def drain(self, **values: object) -> Drain:
        return drain_of(json.dumps(values).encode(), JSON, self.now)

    def test_a_drain_ends_at_a_time_after_some_seconds_or_by_hand(self) -> None:
        self.assertEqual(self.drain(), Drain())
        self.assertEqual(self.drain(seconds=60, reason="new disk"), Drain(1_800_000_060, "new disk"))
        for text in ("2027-01-15T08:01:00Z", "2027-01-15t10:01:00.000+02:00", "2027-01-15T08:00:59.5z"):
            self.assertEqual(self.drain(until=text), Drain(1_800_000_060))

    def test_each_fault_names_its_field_and_what_to_write(self) -> None:
        for values, problem in (
            ({"until": "2h"}, "until: write a time such as 2026-11-25T14:00:00Z"),
            ({"until": 1_900_000_000}, "until: write a time such as"),
            (
                {"until": "2027-02-30T00:00:00Z"},
                "until: 2027-02-30T00:00:00Z is no time (day is out of range",
            ),
            ({"until": "0001-01-01T00:00:00+23:59"}, "until: 0001-01-01T00:00:00+23:59 is no"),
            ({"until": "2027-01-15T08:00:00Z"}, "is not within 366 days from now, 2027-01-15T08:00:00Z"),
            ({"until": "2028-03-01T00:00:00Z"}, "is not within 366 days from now"),
            ({"seconds": 0}, f"seconds: write a number from 1 to {MAX_DRAIN}"),
            ({"seconds": "60"}, "seconds: write a number"),
            ({"seconds": True}, "seconds: write a number"),
            ({"seconds": MAX_DRAIN + 1}, "seconds: write a number"),
            ({"until": "2027-01-15T09:00:00Z", "seconds": 60}, "until and seconds: give one of them"),
            ({"reason": "x" * 256}, "reason 'xxx"),
            ({"reason": 7}, "reason '7' is not a line of at most 255 printable characters"),
            ({"for": 60}, "unknown: use until, seconds, reason"),
        ):
            self.assertIn(problem, self.refused(400, drain_of, json.dumps(values).encode(), JSON, self.now))

    @given(st.text("0123456789-T:Z+.", max_size=30))
    def test_any_text_is_a_time_or_refused(self, text: str) -> None:
        body = json.dumps({"until": text}).encode()
        self.assertIn("until: ", self.refused(400, drain_of, body, JSON, 1e15))


class SeenTests(InputTestCase):
    def test_if_none_match_holds_for_the_etag_and_for_any_module_with_hosts(self) -> None:
        empty = Module(ModuleId(1, 1), "", "", ())
        full = Module(ModuleId(1, 1), "", "", (parse_host("10.0.0.1:80"),))
        self.assertEqual([is_seen(full, h) for h in (f'"{full.etag}"', "*", '"x"', "")], [True, True, False, False])
        self.assertEqual([is_seen(empty, h) for h in (f'"{empty.etag}"', "*")], [True, False])

    def test_any_object_is_an_object(self) -> None:
        self.assertEqual(any_object(b'{"panic": false}', JSON), {"panic": False})
        for body in (b"[]", b"1", b"", b"{"):
            self.refused(400, any_object, body, JSON)
