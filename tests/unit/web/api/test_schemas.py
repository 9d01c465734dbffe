"""The patterns of the schemas agree with what the code reads."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.route import format_ip, parse_host
from lars.web.api.input import name_of
from lars.web.api.problems import Problem
from lars.web.api.schemas import HOST_PATTERN, NAME_PATTERN, SCHEMAS


class HostPatternTests(SynchronousTestCase):
    @given(st.integers(1, 2**32 - 1), st.integers(1, 65535))
    def test_hosts_match(self, ip: int, port: int) -> None:
        text = f"{format_ip(ip)}:{port}"
        self.assertTrue(re.search(HOST_PATTERN, text))
        self.assertEqual(str(parse_host(text)), text)

    def test_other_texts_do_not(self) -> None:
        for text in ("0.0.0.0:80", "1.2.3.4:0", "1.2.3.4:65536", "256.1.1.1:80", "1.2.3:80", "1.2.3.4", "01.2.3.4:80"):
            self.assertIsNone(re.search(HOST_PATTERN, text), text)


class NameTests(SynchronousTestCase):
    def test_names_of_every_script_match_and_are_taken(self) -> None:
        for name in ("", "支付", "café", "Zahlung über Nacht", "أداء", "x", "a b", "💳", "a'b\"c<d>"):
            self.assertTrue(re.search(NAME_PATTERN, name), name)
            self.assertEqual(name_of(name), name)

    @given(st.text(max_size=4) | st.text(st.sampled_from(" a\t\n\x7f\xa0\u2028\u3000\u200e支"), max_size=4))
    def test_others_do_not_match_and_are_refused(self, name: str) -> None:
        if re.fullmatch(NAME_PATTERN, name):
            self.assertEqual((name_of(name), name.strip()), (name, name))
        else:
            self.assertRaises(Problem, name_of, name)


class SchemaTests(SynchronousTestCase):
    def test_objects_allow_only_their_properties(self) -> None:
        for name, schema in SCHEMAS.items():
            if schema.get("type") == "object" and name != "Problem":
                self.assertIs(schema["additionalProperties"], False, name)
                self.assertTrue(set(schema.get("required", ())) <= set(schema["properties"]), name)
