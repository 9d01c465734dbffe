"""The fields of a form's body, parsed in short turns and within limits; pure (docs/design/web.md, requests)."""

import codecs
from collections.abc import Generator
from io import IncrementalNewlineDecoder
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from lars.errors import LarsError

MAX_FIELDS = 100
"""Fields, or parts, of a form: no form of the console has that many."""

TURN = 16 * 1024
"""Bytes that are parsed in one turn: a millisecond or two at worst."""

MAX_HEAD = 64 * 1024
"""Bytes of a part's head, with what was read beyond it."""


class BadForm(LarsError):
    """A form's body is not what its Content-Type says."""


class TooManyFields(LarsError):
    """A form has more fields than any form of the console."""


def form_fields(content_type: str, body: bytes) -> Generator[None, None, dict[str, str]]:
    """The fields of a body by name, the last of equal ones, with line ends as LF; yields between two turns.

    Other types of content than those of HTML forms have no fields. Raises BadForm and TooManyFields.
    """
    kind, options = parse_options_header(content_type)
    match kind.lower():
        case "application/x-www-form-urlencoded":
            return (yield from _urlencoded(body))
        case "multipart/form-data":
            return (yield from _multipart(options.get("boundary", ""), body))
    return {}


def text_of(given: bytes) -> str:
    """A field's text: UTF-8, with what is none replaced, and line ends as LF."""
    return _decoder().decode(given, final=True)


def _decoder() -> IncrementalNewlineDecoder:
    return IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)


def _urlencoded(body: bytes) -> Generator[None, None, dict[str, str]]:
    """As the URL Standard has it (5.1): `&` alone separates fields."""
    if body.count(b"&") >= MAX_FIELDS:
        raise TooManyFields(f"a form has at most {MAX_FIELDS} fields")
    fields = {}
    for pair in body.split(b"&"):
        name, _equals, value = pair.partition(b"=")
        if pair:
            fields[(yield from _unquoted(name))] = yield from _unquoted(value)
    return fields


def _unquoted(quoted: bytes) -> Generator[None, None, str]:
    parts, start, decoder = [], 0, _decoder()
    while start < len(quoted):
        end = start + TURN
        cut = quoted.rfind(b"%", end - 2, end)  # an escape that the end of this turn would split
        end = cut if cut >= 0 and end < len(quoted) else end
        parts.append(decoder.decode(unquote_to_bytes(quoted[start:end].replace(b"+", b" "))))
        start = end
        if start < len(quoted):
            yield
    return "".join((*parts, decoder.decode(b"", final=True)))


def _multipart(boundary: str, body: bytes) -> Generator[None, None, dict[str, str]]:
    if not 1 <= len(boundary) <= 70:  # RFC 2046, 5.1.1
        raise BadForm("the form's Content-Type lacks its boundary")
    decoder = MultipartDecoder(boundary.encode("utf-8", "replace"), MAX_HEAD, max_parts=MAX_FIELDS)
    fields: dict[str, list[str]] = {}
    part: list[str] = []
    text = _decoder()
    try:
        for start in range(0, len(body), TURN):
            decoder.receive_data(body[start : start + TURN])
            while not isinstance(event := decoder.next_event(), NeedData):
                match event:
                    case Field(name=name) | File(name=name):
                        fields[name or ""], text = (part := []), _decoder()
                    case Data(data=data, more_data=more):
                        part.append(text.decode(data, final=not more))
                    case Epilogue():
                        break
            yield
        decoder.receive_data(None)
        decoder.next_event()
    except RequestEntityTooLarge:
        raise TooManyFields(f"a form has at most {MAX_FIELDS} parts, with short heads") from None
    except ValueError as error:
        raise BadForm(f"the form is no multipart/form-data: {error}") from None
    return {name: "".join(parts) for name, parts in fields.items()}
