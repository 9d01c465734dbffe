"""Files to import and export routes: CSV with the header modid,cmdid,ip,port, or a JSON list of such objects.

Each host may have a weight, zone, tags and a note too. What a file does not say of a host stays as it is.
"""

import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lars.errors import BadInput, InvalidRoute, LarsError
from lars.host_record import CHANGES, KEEP, PLAIN, HostChange, HostRecord, HostRow, host_change, usable
from lars.route import (
    MAX_HOSTS,
    MAX_ID,
    MAX_PORT,
    HostAddress,
    ModuleId,
    format_ip,
    module_id,
    serving_host,
)

_BETWEEN = re.compile(r"[ \t\r\n,]*")

KEYS = ("modid", "cmdid", "ip", "port")
"""The columns of CSV, and the keys of a JSON object, that each file has."""

OPTIONAL = CHANGES
"""The columns and keys that a file may have."""

DRAIN = "drain"
"""The key of a drain in the JSON of `lars route list`. An import passes over it: of a host that drains, weight and
drain stay."""

_TEXTS = ("zone", "tags", "note")
"""Those of them that are no numbers in JSON."""

Routes = dict[ModuleId, dict[HostAddress, HostChange]]
Record = tuple[int, Mapping[str, Any]]
"""A line number, and the line's text for each of KEYS and of those of OPTIONAL that it has; tags are a list."""


class BadLine(LarsError):
    """A line is not a route; `at` is its number, from 1."""

    def __init__(self, at: int, problem: str) -> None:
        super().__init__(problem)
        self.at = at


def read_routes(name: str, content: bytes) -> Routes:
    """The routes in a file, by module.

    Args:
        name: the file's name, for messages. The ending .json or .csv decides on the format, else the content does.
        content: the whole file, in UTF-8.

    Raises BadInput with one problem for each bad line.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = content.count(b"\n", 0, error.start) + 1
        raise BadInput([f"{name}, line {at}: not UTF-8 text"]) from None
    is_json = name.lower().endswith(".json") or (not name.lower().endswith(".csv") and text.lstrip()[:1] in ("[", "{"))
    hosts: Routes = defaultdict(dict)
    problems = []
    for record in _json_records(text) if is_json else _csv_records(text):
        try:
            if isinstance(record, BadLine):
                raise record
            module, host, change = _route(record)
            is_new = host not in hosts[module]
            hosts[module][host] = change
            if is_new and len(hosts[module]) == MAX_HOSTS + 1:
                raise BadLine(record[0], f"module {module} has more than {MAX_HOSTS} hosts from here on")
        except BadLine as bad:
            problems.append(f"{name}, line {bad.at}: {bad}")
    if problems:
        raise BadInput(problems)
    return dict(hosts)


def _csv_records(text: str) -> Iterator[Record | BadLine]:
    """A Record or an error for each line that is not empty."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] = []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                if not _has_keys(header):
                    yield BadLine(reader.line_num, f"the first line must be {_HEADER}, not {','.join(cells)!r}")
                    return
            elif len(cells) != len(header):
                yield BadLine(reader.line_num, f"{len(cells)} values where {','.join(header)} are wanted")
            else:
                yield reader.line_num, _csv_values(dict(zip(header, cells, strict=True)))
    except csv.Error as error:
        yield BadLine(reader.line_num, f"not CSV: {error}")
        return
    if not header:
        yield BadLine(1, f"the first line must be {_HEADER}, and there is none")


_HEADER = f"{','.join(KEYS)} and may go on with {','.join(OPTIONAL)}"


def _has_keys(names: Collection[str]) -> bool:
    """Whether names are KEYS and some of OPTIONAL, each once."""
    return set(KEYS) <= set(names) <= {*KEYS, *OPTIONAL} and len(set(names)) == len(names)


def _csv_values(texts: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = dict(texts)
    if "tags" in values:
        values["tags"] = [tag.strip() for tag in texts["tags"].split(",") if tag.strip()]
    if not values.get("weight", True):
        del values["weight"]  # an empty cell
    return values


def _delimiter(text: str) -> str:
    """What separates the values: a comma; a semicolon or a tab, which spreadsheets also write, if the header has it."""
    header = text.lstrip().partition("\n")[0]
    return next((other for other in ";\t" if other in header and "," not in header), ",")


def _json_records(text: str) -> Iterator[Record | BadLine]:
    """A Record or an error for each element of the list."""
    decoder = json.JSONDecoder(
        parse_int=_Number, parse_float=_whole, parse_constant=_Number
    )  # numbers are checked like those of CSV
    try:
        whole = decoder.decode(text)
    except json.JSONDecodeError as error:
        yield BadLine(error.lineno, f"not JSON: {error.msg}")
        return
    except RecursionError:
        whole = None
    if not isinstance(whole, list):
        yield BadLine(1, f"the file must be a list of objects with {', '.join(KEYS)}")
        return
    at, position = 1, text.index("[") + 1  # decoded again by element, for their line numbers
    for _element in whole:
        start = _next_element(text, position)
        at += text.count("\n", position, start)
        element, position = decoder.raw_decode(text, start)
        yield _json_record(at, element)
        at += text.count("\n", start, position)


class _Number(str):
    """The text of a number of JSON: it is none where a text is wanted."""

    __slots__ = ()


def _whole(number: str) -> str:
    """ "600.0" -> "600", which is an integer in JSON; other fractions stay, and are refused later."""
    return _Number(re.sub(r"\.0+$", "", number))


def _next_element(text: str, position: int) -> int:
    between = _BETWEEN.match(text, position)
    return between.end() if between else position


def _json_record(at: int, element: Any) -> Record | BadLine:
    if isinstance(element, dict) and DRAIN in element:
        left_out = (DRAIN, "weight") if element[DRAIN] else (DRAIN,)
        element = {key: value for key, value in element.items() if key not in left_out}
    if not isinstance(element, dict) or not _has_keys(element):
        return BadLine(at, f"an object with {', '.join(KEYS)}, perhaps {', '.join(OPTIONAL)}, and no more is wanted")
    for key, value in element.items():
        if not isinstance(value, str) and key != "tags":
            return BadLine(at, f"{key} {json.dumps(value)} is neither a number nor a text")
    tags = element.get("tags")
    words = [("tags", tag) for tag in tags] if isinstance(tags, list) else []
    for key, value in [*element.items(), *words]:
        if key in _TEXTS and isinstance(value, _Number):
            return BadLine(at, f"{key} {value} is a number: a text is wanted")
    return at, element


def _route(record: Record) -> tuple[ModuleId, HostAddress, HostChange]:
    at, values = record
    try:
        module = module_id(_id("modid", values["modid"]), _id("cmdid", values["cmdid"]))
        host = serving_host(f"{values['ip']}:{values['port']}")
        given = {name: values[name] for name in OPTIONAL if name in values}
        return module, host, host_change(given) if given else KEEP
    except BadInput as bad:
        raise BadLine(at, "; ".join(bad.problems)) from None
    except LarsError as error:
        raise BadLine(at, str(error)) from None


def _id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_ID))):
        raise InvalidRoute(f"{name} {text!r} is not a number from 0 to {MAX_ID}")
    return int(text)


def as_file(routes: Routes) -> str:
    """The content of a file that read_routes reads as these routes."""
    rows = [(module, host, hosts[host]) for module, hosts in sorted(routes.items()) for host in sorted(hosts)]
    if all(change is KEEP for _module, _host, change in rows):
        return as_csv([(*module, *host, PLAIN) for module, host, _change in rows])
    return json.dumps(
        [
            {
                "modid": module.modid,
                "cmdid": module.cmdid,
                "ip": format_ip(host.ip),
                "port": host.port,
                **_given(change),
            }
            for module, host, change in rows
        ],
        separators=(",", ":"),
    )


def _given(change: HostChange) -> dict[str, Any]:
    return {name: value for name in OPTIONAL if (value := getattr(change, name)) is not None}


def is_route(row: HostRow) -> bool:
    """Whether a row of RouteData is a valid route: SQL can write rows that the command line refuses."""
    modid, cmdid, ip, port, _record = row
    ids = 0 <= modid <= MAX_ID and 0 <= cmdid <= MAX_ID and (modid, cmdid) != (0, 0)
    return ids and 0 < ip < 2**32 and 0 < port <= MAX_PORT


def as_objects(rows: Iterable[HostRow]) -> list[dict[str, Any]]:
    """The rows as objects for JSON, as read_routes reads them."""
    return [
        {"modid": modid, "cmdid": cmdid, "ip": format_ip(ip), "port": port, **_values(record)}
        for modid, cmdid, ip, port, record in rows
    ]


def _values(record: HostRecord) -> dict[str, Any]:
    if record is PLAIN:
        return {"weight": PLAIN.weight, "zone": "", "tags": [], "note": ""}
    good = usable(record)
    return {"weight": good.weight, "zone": good.zone, "tags": list(good.tags), "note": good.note}


def as_csv(rows: Sequence[HostRow]) -> str:
    """The rows as CSV, as read_routes reads it; without the columns of OPTIONAL where all hosts are plain."""
    if all(record is PLAIN for *_route, record in rows):
        lines = (f"{modid},{cmdid},{format_ip(ip)},{port}" for modid, cmdid, ip, port, _plain in rows)
        return "\n".join([",".join(KEYS), *lines])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*KEYS, *OPTIONAL])
    for modid, cmdid, ip, port, record in rows:
        good = usable(record)
        writer.writerow([modid, cmdid, format_ip(ip), port, good.weight, good.zone, ",".join(good.tags), good.note])
    return text.getvalue().removesuffix("\n")
