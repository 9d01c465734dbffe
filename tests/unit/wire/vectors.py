"""The frames that the C++ programs of Lars put on the wire, captured, with the fields each of them names."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import Message as ProtobufMessage

from lars.route import parse_ip
from lars.wire.messages import MESSAGE_TYPES

_FILE = Path(__file__).with_name("wire_vectors.json")


@dataclass(frozen=True, slots=True)
class Vector:
    """One captured frame; ip and caller in `fields` are numbers in host order."""

    message_id: int
    message_name: str
    fields: dict[str, Any]
    frame: bytes


def _numbered(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _numbered(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbered(inner) for inner in value]
    return parse_ip(value) if key in ("ip", "caller") else value


VECTORS = [
    Vector(v["msgid"], v["message"], _numbered(v["fields"]), bytes.fromhex(v["frame"]))
    for v in json.loads(_FILE.read_text(encoding="utf-8"))["vectors"]
]


def message_of(vector: Vector) -> Any:
    """A message of ours with the vector's fields."""
    return MESSAGE_TYPES[vector.message_id](**vector.fields)


def fields_of(message: ProtobufMessage) -> dict[str, Any]:
    """The fields that are set, in plain Python values, as `Vector.fields` has them."""
    return {field.name: _plain(value) for field, value in message.ListFields()}


def _plain(value: Any) -> Any:
    if isinstance(value, ProtobufMessage):
        return fields_of(value)
    if isinstance(value, int | str | bytes):
        return value
    return [_plain(inner) for inner in value]
