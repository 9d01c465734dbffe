"""What people type, and what is wrong with it."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.modules import search_condition
from lars.host_record import Drain, HostChange
from lars.route import MAX_HOSTS, ModuleId, parse_host
from lars.web.pages.forms import (
    BadHosts,
    FormError,
    parse_days,
    parse_drain,
    parse_hosts,
    parse_module,
    parse_name,
    parse_password,
    parse_ranges,
    parse_record,
    parse_role,
    parse_token_name,
    parse_token_role,
    parse_user,
)


class HostsTests(SynchronousTestCase):
    def test_hosts_are_apart_by_anything_and_comments_are_skipped(self) -> None:
        hosts = parse_hosts("10.0.0.1:80, 10.0.0.2:80;10.0.0.3:80\n# 10.0.0.4:80\n10.0.0.5:80 # old\n\t10.0.0.1:80")
        self.assertEqual(hosts, {parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3, 5)})

    def test_every_bad_one_is_named_up_to_a_limit(self) -> None:
        bad = self.assertRaises(BadHosts, parse_hosts, "x 1.2.3.4 0.0.0.0:1 1.2.3.4:0 " + "y " * 20)
        self.assertEqual(bad.more, 14)
        self.assertEqual(str(bad.problems[0]), "x: write IP:PORT, as in 10.0.0.5:8080.")
        self.assertEqual(str(bad.problems[2]), "0.0.0.0:1: 0.0.0.0 is the address of no host.")
        self.assertEqual(str(bad.problems[3]), "1.2.3.4:0: the port is a number from 1 to 65535.")

    def test_none_and_too_many_are_refused(self) -> None:
        self.assertRaises(BadHosts, parse_hosts, " # nothing")
        self.assertEqual(parse_hosts("", needed=False), frozenset())
        many = " ".join(f"10.0.{n // 250}.{n % 250}:80" for n in range(MAX_HOSTS + 1))
        self.assertIn("4001", str(self.assertRaises(BadHosts, parse_hosts, many)))


class FieldsTests(SynchronousTestCase):
    def test_module(self) -> None:
        self.assertEqual(parse_module(" 1 ", "2"), ModuleId(1, 2))
        self.assertEqual(set(self.assertRaises(FormError, parse_module, "-1", "x").errors), {"modid", "cmdid"})
        self.assertEqual(set(self.assertRaises(FormError, parse_module, "0", "0").errors), {"cmdid"})

    def test_name_password_user(self) -> None:
        self.assertEqual(parse_name("  a  b "), "a b")
        self.assertRaises(FormError, parse_name, "x" * 256)
        self.assertRaises(FormError, parse_name, "a\x00b")
        self.assertEqual(parse_user(" Lea "), "lea")
        self.assertRaises(FormError, parse_user, "two words")
        self.assertEqual(parse_password("four words", "four words", "lea"), "four words")
        for bad, why in (("short", "characters"), ("password123", "tried first")):
            error = self.assertRaises(FormError, parse_password, bad, bad, "lea")
            self.assertIn(why, str(error.errors["password"]))
        self.assertIn("again", self.assertRaises(FormError, parse_password, "four words", "four wordx", "").errors)

    def test_ranges_and_days(self) -> None:
        self.assertEqual(str(parse_ranges(" 1-99,  2.* ")), "1-99, 2")
        self.assertIn("ranges", self.assertRaises(FormError, parse_ranges, "1-").errors)
        self.assertEqual([parse_days(text) for text in ("", " 30 ", "3650")], [0, 30, 3650])
        for text in ("0", "-1", "3651", "x", "1.5"):
            self.assertIn("days", self.assertRaises(FormError, parse_days, text).errors)

    def test_role_and_token_name(self) -> None:
        self.assertEqual(parse_role("editor"), "editor")
        self.assertEqual(parse_token_role("register"), "register")
        self.assertIn("role", self.assertRaises(FormError, parse_role, "register").errors)
        self.assertIn("role", self.assertRaises(FormError, parse_token_role, "").errors)
        self.assertIn("role", self.assertRaises(FormError, parse_role, "emperor").errors)
        self.assertEqual(parse_token_name("  auto  scaler "), "auto scaler")
        for bad in (" ", "x" * 101, "a\x00b"):
            self.assertIn("token", self.assertRaises(FormError, parse_token_name, bad).errors)


class RecordTests(SynchronousTestCase):
    GOOD = {"weight": " 50 ", "zone": "eu-1.a", "tags": "ssd, new ssd", "note": " new disk "}

    def problems(self, **typed: str) -> dict[str, str]:
        bad = self.assertRaises(FormError, parse_record, {**self.GOOD, **typed})
        return {name: str(text) for name, text in bad.errors.items()}

    def test_all_four_are_read(self) -> None:
        change = HostChange(weight=50, zone="eu-1.a", tags=("new", "ssd"), note="new disk")
        self.assertEqual(parse_record(self.GOOD), change)
        bare = HostChange(weight=0, zone="", tags=(), note="")
        self.assertEqual(parse_record({"weight": "0"}), bare)

    def test_each_bad_field_has_one_line_and_the_others_none(self) -> None:
        for weight in ("-1", "1001", "x", "", "1.5", "0x10"):
            self.assertEqual(self.problems(weight=weight), {"weight": "Write a whole number from 0 to 1000."}, weight)
        for zone in ("zone b", "B", "a_b", "z" * 65):
            self.assertIn("without blanks", self.problems(zone=zone)["zone"], zone)
        self.assertEqual(set(self.problems(tags="é", note="a\tb")), {"tags", "note"})
        self.assertEqual(set(self.problems(tags=" ".join(map(str, range(21))))), {"tags"})


class DrainTests(SynchronousTestCase):
    def test_time_is_counted_from_now_and_empty_is_without_end(self) -> None:
        for text, seconds in {
            "30m": 1800,
            "2h": 7200,
            "1d 12h": 129_600,
            "1H30M": 5400,
            "45s": 45,
            "366d": 31_622_400,
        }.items():
            self.assertEqual(parse_drain(text, "kernel update", 1000.9), Drain(1000 + seconds, "kernel update"), text)
        self.assertEqual(parse_drain(" ", " ", 1000.0), Drain())

    def test_other_texts_are_refused_beside_their_field(self) -> None:
        for text in ("2", "0h", "-1h", "h", "2 weeks", "367d", "30m 2h", "9" * 40 + "s"):
            self.assertEqual(set(self.assertRaises(FormError, parse_drain, text, "", 0.0).errors), {"time"}, text)
        both = self.assertRaises(FormError, parse_drain, "x", "r" * 256, 0.0).errors
        self.assertEqual(set(both), {"time", "reason"})


class SearchTests(SynchronousTestCase):
    def test_text_is_searched_by_its_form(self) -> None:
        for text in ("1 2", "(1, 2)", "1/2", "1,2"):
            self.assertEqual(search_condition(text), ("modid = ? AND cmdid = ?", [1, 2]))
        self.assertEqual(search_condition("7"), ("(modid = ? OR cmdid = ?)", [7, 7]))
        self.assertIn("WHERE serverip = ?)", search_condition("10.0.0.1")[0])
        self.assertEqual(search_condition("10.0.0.1:80")[1], [167772161, 80])
        self.assertEqual(search_condition("50%_!")[1], ["%50!%!_!!%", "%50!%!_!!%"])
