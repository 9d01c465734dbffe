"""The fields of forms, as browsers send them, and what no browser sends."""

from collections.abc import Generator
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.web.form_data import MAX_FIELDS, TURN, BadForm, TooManyFields, form_fields, text_of

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xyz"

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)


def fields_of(content_type: str, body: bytes) -> tuple[dict[str, str], int]:
    """The fields, and how many turns they took."""
    work: Generator[None, None, dict[str, str]] = form_fields(content_type, body)
    turns = 1
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value, turns
        turns += 1


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


class UrlencodedTests(SynchronousTestCase):
    @given(st.dictionaries(TEXTS, TEXTS, max_size=9))
    def test_form_of_a_browser_is_read_whole(self, fields: dict[str, str]) -> None:
        self.assertEqual(fields_of(URLENCODED, urlencode(fields).encode())[0], fields)

    @given(st.binary(max_size=200))
    def test_whatever_is_sent_gives_fields_or_a_refusal(self, body: bytes) -> None:
        fields_of(URLENCODED, body)

    def test_escapes_survive_the_ends_of_turns(self) -> None:
        for shift in range(4):
            text = "x" * shift + "ü" * TURN
            fields, turns = fields_of(URLENCODED, urlencode({"text": text}).encode())
            self.assertEqual(fields, {"text": text})
            self.assertGreater(turns, 5)

    def test_ampersands_alone_separate_fields_and_are_limited(self) -> None:
        self.assertEqual(fields_of(URLENCODED, b"a=1;b=2&c=%zz&d")[0], {"a": "1;b=2", "c": "%zz", "d": ""})
        for kind in (URLENCODED, "Application/X-WWW-FORM-urlencoded; charset=utf-8"):
            with self.assertRaises(TooManyFields):
                fields_of(kind, b"a=b&" * MAX_FIELDS)

    def test_line_ends_are_lf(self) -> None:
        self.assertEqual(fields_of(URLENCODED, b"a=b%0D%0Ac%FF")[0], {"a": "b\nc\ufffd"})
        self.assertEqual(text_of(b"b\r\nc\xff"), "b\nc\ufffd")


class MultipartTests(SynchronousTestCase):
    def test_files_and_fields_are_read(self) -> None:
        routes = b"1,1,10.0.0.1,80\r\n" * TURN
        body = part("form_key", b"k") + part("file", routes, '; filename="r.csv"\r\nContent-Type: text/csv')
        fields, turns = fields_of(MULTIPART, body + b"--xyz--\r\n")
        self.assertEqual(fields, {"form_key": "k", "file": routes.decode().replace("\r\n", "\n")})
        self.assertGreater(turns, 10)

    def test_parts_and_their_heads_are_limited(self) -> None:
        for body in (
            part("a", b"") * (MAX_FIELDS + 1),
            b"--xyz\r\n" + b"a: b\r\n" * 50_000,
            b"x" * 200_000,
        ):
            with self.assertRaises(TooManyFields):
                fields_of(MULTIPART, body + b"--xyz--\r\n")

    @given(st.binary(max_size=200))
    def test_whatever_is_sent_gives_fields_or_a_refusal(self, body: bytes) -> None:
        for whole in (body, part("a", body), body.replace(b"\0", b"--xyz\r\n")):
            try:
                fields_of(MULTIPART, whole)
            except (BadForm, TooManyFields):
                continue

    def test_form_that_breaks_off_or_has_no_boundary_is_refused(self) -> None:
        for kind, body in ((MULTIPART, part("a", b"b")), ("multipart/form-data", b""), (f"{MULTIPART}{'x' * 70}", b"")):
            with self.assertRaises(BadForm):
                fields_of(kind, body)


class OtherTests(SynchronousTestCase):
    def test_other_content_has_no_fields(self) -> None:
        for kind in ("", "text/plain", "application/json"):
            self.assertEqual(fields_of(kind, b"a=b")[0], {})
