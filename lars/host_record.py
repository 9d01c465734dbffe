"""What an operator keeps with a host besides its address: weight, zone, drain, tags and a note.

See docs/design/database.md, host records.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from lars.errors import BadInput, InvalidRoute

DEFAULT_WEIGHT = 100
MAX_WEIGHT = 1000
MAX_ZONE = 64
MAX_TAGS = 20
MAX_TAG = 64
MAX_NOTE = 255
"""Characters of a note, and of the reason of a drain."""

MAX_DRAIN = 366 * 86_400
"""Seconds of a drain that has an end."""

_ZONE = re.compile(rf"[a-z0-9.-]{{0,{MAX_ZONE}}}")
_TAG = re.compile(rf"[!-+\--~]{{1,{MAX_TAG}}}")


@dataclass(frozen=True, slots=True)
class HostRecord:
    """The record of one host.

    Attributes:
        weight: its share of calls relative to the others, 0 to 1,000; with 0 it gets no new call while another host
            of the module has weight.
        zone: where it is; empty if that is not known.
        tags: words for people and for searches; never sent to agents.
        note: a text for people; never sent to agents.
        drained_weight: the weight to restore when the drain ends; None unless the host is drained.
        drained_until: when the drain ends by itself, in Unix seconds; 0: when an operator ends it.
        drain_reason: why it is drained.
    """

    weight: int = DEFAULT_WEIGHT
    zone: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    drained_weight: int | None = None
    drained_until: int = 0
    drain_reason: str = ""

    @property
    def draining(self) -> bool:
        """Whether an operator has drained it. A weight that SQL has written since ends that."""
        return self.drained_weight is not None and self.weight == 0

    def differences(self, after: "HostRecord") -> list[str]:
        """What is another in a later record, for people: "weight 100 → 50"; a drain's kept weight is left out."""
        names = [f.name for f in fields(self) if f.name != "drained_weight"]
        values = [(name, getattr(self, name), getattr(after, name)) for name in names]
        return [f"{name.replace('_', ' ')} {_shown(old)} → {_shown(new)}" for name, old, new in values if old != new]

    @property
    def texts(self) -> list[str]:
        """What differs from a plain host, as NAME=VALUE texts for the audit and for messages."""
        shown = [
            f"{f.name}={json.dumps(value) if isinstance(value, str) else value}"
            for f in fields(self)
            if f.name not in ("tags", "drained_weight") and (value := getattr(self, f.name)) != f.default
        ]
        return shown + ([f"tags={','.join(self.tags)}"] if self.tags else [])


PLAIN = HostRecord()
"""The record of a host of which nothing but the address was given."""


HostRow = tuple[int, int, int, int, HostRecord]
"""modid, cmdid, ip, port and record of a row of RouteData, which may be out of range."""


def usable(record: HostRecord) -> HostRecord:
    """The record as services use it: what SQL has written and no host can have, has its default."""
    good: dict[str, Any] = {}
    for name, check in _CHECKS.items():
        try:
            good[name] = check(getattr(record, name))
        except InvalidRoute:
            good[name] = getattr(PLAIN, name)
    return replace(record, **good)


@dataclass(frozen=True, slots=True)
class Drain:
    """A drain until a time in Unix seconds, 0 for one without end, with a reason that may be empty."""

    until: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HostChange:
    """A change of a record. What is None stays.

    Attributes:
        weight, zone, tags, note: the new values; a weight above 0 ends a drain.
        drain: drains the host; of one that is drained already, changes end and reason.
        undrain: ends a drain, which restores the weight; without effect on other hosts.
    """

    weight: int | None = None
    zone: str | None = None
    tags: tuple[str, ...] | None = None
    note: str | None = None
    drain: Drain | None = None
    undrain: bool = False

    def applied(self, record: HostRecord) -> HostRecord:
        """The record after the change."""
        plain = {name: value for name in CHANGES if (value := getattr(self, name)) is not None}
        after = replace(record, **plain)
        if self.weight is not None and (self.weight or not record.draining):
            after = replace(after, drained_weight=None, drained_until=0, drain_reason="")
        if self.undrain and after.drained_weight is not None:
            weight = after.weight or after.drained_weight
            after = replace(after, weight=weight, drained_weight=None, drained_until=0, drain_reason="")
        if self.drain is not None:
            weight = after.drained_weight if after.draining and after.drained_weight is not None else after.weight
            after = replace(
                after,
                weight=0,
                drained_weight=weight or DEFAULT_WEIGHT,
                drained_until=self.drain.until,
                drain_reason=self.drain.reason,
            )
        return after


KEEP = HostChange()
"""The change that changes nothing."""

CHANGES = ("weight", "zone", "tags", "note")
"""The names that `host_change` takes."""


def host_change(values: Mapping[str, Any]) -> HostChange:
    """The change that a JSON object asks for. Raises BadInput with one problem for each fault."""
    good: dict[str, Any] = {}
    problems = []
    for name, value in values.items():
        try:
            if name not in _CHECKS:
                raise InvalidRoute(f"{name[:80]!r} is nothing that a host has: use {', '.join(CHANGES)}")
            good[name] = _CHECKS[name](value)
        except InvalidRoute as error:
            problems.append(str(error))
    if problems:
        raise BadInput(problems)
    return HostChange(**good)


def parse_change(texts: Iterable[str]) -> HostChange:
    """The change that texts such as weight=50, zone=b, tags=a,b and note="new disk" ask for. Raises BadInput."""
    values: dict[str, Any] = {}
    problems = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            problems.append(f"{text[:80]!r} is not NAME=VALUE")
        if name.strip() in values:
            problems.append(f"{name.strip()[:80]} is given twice: give it once")
        values[name.strip()] = value.strip()
    if problems:
        raise BadInput(problems)
    if "tags" in values:
        values["tags"] = [tag.strip() for tag in values["tags"].split(",") if tag.strip()]
    return host_change(values)


def weight(value: Any) -> int:
    """A weight from a number or a text. Raises InvalidRoute."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= MAX_WEIGHT):
        raise InvalidRoute(f"weight {_quoted(value)} is not a number from 0 to {MAX_WEIGHT}")
    return int(text)


def zone(value: Any) -> str:
    """A zone. Raises InvalidRoute."""
    if not isinstance(value, str) or not _ZONE.fullmatch(value):
        raise InvalidRoute(f"zone {_quoted(value)} is not a zone: use up to {MAX_ZONE} of a-z, 0-9, dot and hyphen")
    return value


def note(value: Any) -> str:
    """A note: one line of printable text. Raises InvalidRoute."""
    return _printable("note", value)


def reason(value: Any) -> str:
    """The reason of a drain: one line of printable text. Raises InvalidRoute."""
    return _printable("reason", value)


def _printable(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_NOTE or not value.isprintable():
        raise InvalidRoute(f"{name} {_quoted(value)} is not a line of at most {MAX_NOTE} printable characters")
    return value.strip()


def tags(value: Any) -> tuple[str, ...]:
    """Tags, sorted, each once. Raises InvalidRoute."""
    good = isinstance(value, list | tuple) and all(isinstance(tag, str) and _TAG.fullmatch(tag) for tag in value)
    if not good or len(set(value)) > MAX_TAGS:
        raise InvalidRoute(
            f"tags {_quoted(value)} are not tags: use at most {MAX_TAGS}, each up to {MAX_TAG} printable ASCII "
            "characters without blanks and commas"
        )
    return tuple(sorted(set(value)))


def _shown(value: object) -> str:
    return (
        ",".join(value) or '""'
        if isinstance(value, tuple)
        else str(value)
        if isinstance(value, int)
        else json.dumps(value)
    )


def _quoted(value: Any) -> str:
    return repr(value if isinstance(value, str) else json.dumps(value, default=str))[:80]


_CHECKS = {"weight": weight, "zone": zone, "tags": tags, "note": note}
