"""Addresses given as names."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import InvalidRoute
from lars.host_names import parse_place


class ParsePlaceTests(SynchronousTestCase):
    def test_name_is_looked_up_and_an_address_is_taken_as_it_is(self) -> None:
        for text in ("localhost:8888", "127.0.0.1:8888"):
            self.assertEqual(str(parse_place(text)), "127.0.0.1:8888")

    def test_name_without_an_address_is_named_with_the_reason(self) -> None:
        for name in ("no..name", "x" * 300):
            with self.assertRaisesRegex(InvalidRoute, f"^'{name}' has no IPv4 address: "):
                parse_place(f"{name}:8888")

    def test_what_has_another_form_is_refused_as_everywhere(self) -> None:
        for text, problem in (
            ("127.0.0.1", "is not a host: write IP:PORT"),
            ("localhost", "is not a host: write IP:PORT"),
            ("localhost:0", "'0' is not a port"),
            ("127.0.0:80", "is not an IPv4 address"),
        ):
            with self.assertRaisesRegex(InvalidRoute, problem):
                parse_place(text)
