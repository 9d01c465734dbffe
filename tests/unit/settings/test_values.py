"""Parsers of settings: what each accepts, and what the error says about the rest."""

from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from lars.errors import SettingsError
from lars.settings.values import absolute_path, endpoint, integer, number, ratio, seconds
from tests.unit.settings.kiosk import ConfCase


class ParserTests(ConfCase):
    def test_limits_are_within_and_the_next_numbers_are_not(self) -> None:
        self.assertEqual((integer(1, 99)("1"), integer(1, 99)("99")), (1, 99))
        self.assertEqual((number(0.5, 2)("0.5"), number(0.5, 2)("2")), (0.5, 2.0))
        for parse, text in (
            (integer(1, 99), "0"),
            (integer(1, 99), "100"),
            (integer(1, 99), "1.5"),
            (integer(1, 99), ""),
            (number(0.5, 2), "0.49"),
            (number(0.5, 2), "nan"),
            (number(0.5, 2), "inf"),
            (number(0.5, 2), "x"),
            (seconds, "0"),
            (seconds, "31536001"),
            (ratio, "1.01"),
            (ratio, "-0.01"),
        ):
            self.assert_refused(lambda parse=parse, text=text: parse(text), f"{text!r} is not a number from")  # type: ignore[misc]

    @given(st.text(max_size=20))
    @example("~\0")
    def test_no_text_raises_anything_but_settings_error(self, text: str) -> None:
        for parse in (integer(1, 99), number(0, 1), seconds, ratio, endpoint, absolute_path):
            try:
                parse(text)
            except SettingsError as error:
                self.assertIn(repr(text), str(error))

    def test_endpoints(self) -> None:
        for text in ("tcp:7778", "tcp:7778:interface=127.0.0.1", "unix:/run/lars"):
            self.assertEqual(endpoint(text), text)
        for text in ("", "7778", "tcp:", "tcp:x", "tcp:1:typo=2", "ssl:x", "ssl:443:privateKey=/nowhere", "udp:53"):
            self.assert_refused(lambda text=text: endpoint(text), f"{text!r} is not a server endpoint", "tcp:7778:")  # type: ignore[misc]

    def test_ipv6_address_of_an_endpoint_may_be_in_brackets(self) -> None:
        self.assertEqual(endpoint("tcp:7778:interface=[::1]"), r"tcp:7778:interface=\:\:1")
        self.assertEqual(endpoint("tcp:1:interface=[fd00::5]:backlog=9"), r"tcp:1:interface=fd00\:\:5:backlog=9")

    def test_paths_are_made_absolute_and_empty_ones_stay_empty(self) -> None:
        self.assertEqual(absolute_path("a/b"), str(Path.cwd() / "a/b"))
        self.assertEqual(absolute_path("~"), str(Path.home()))
        self.assertEqual(absolute_path(""), "")
        self.assert_refused(lambda: absolute_path("~no-such-user/x"), "~no-such-user/x")
