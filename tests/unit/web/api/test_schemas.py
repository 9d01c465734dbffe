"""The patterns of the schemas agree with what the code reads."""

import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.route import format_ip, parse_host
from lars.web.api.schemas import HOST_PATTERN, SCHEMAS


class HostPatternTests(SynchronousTestCase):
    @given(st.integers(1, 2**32 - 1), st.integers(1, 65535))
    def test_hosts_match(self, ip: int, port: int) -> None:
        text = f"{format_ip(ip)}:{port}"
        self.assertTrue(re.search(HOST_PATTERN, text))
        self.assertEqual(str(parse_host(text)), text)

    def test_other_texts_do_not(self) -> None:
        for text in ("0.0.0.0:80", "1.2.3.4:0", "1.2.3.4:65536", "256.1.1.1:80", "1.2.3:80", "1.2.3.4", "01.2.3.4:80"):
            self.assertIsNone(re.search(HOST_PATTERN, text), text)


class SchemaTests(SynchronousTestCase):
    def test_objects_allow_only_their_properties(self) -> None:
        for name, schema in SCHEMAS.items():
            if schema.get("type") == "object" and name != "Problem":
                self.assertIs(schema["additionalProperties"], False, name)
                self.assertTrue(set(schema.get("required", ())) <= set(schema["properties"]), name)
