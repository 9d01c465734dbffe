"""Reads what programs send to the API, from texts and JSON to values; raises Problem. Pure."""

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lars.db.modules import MAX_NAME, SORTS, Module, ModuleSearch
from lars.errors import InvalidRoute
from lars.host_record import CHANGES, MAX_DRAIN, MAX_TAGS, MAX_WEIGHT, Drain, HostChange, host_change, reason
from lars.route import MAX_HOSTS, HostAddress, ModuleId, module_id, serving_host
from lars.web.api.problems import Problem, bad, unknown
from lars.web.api.schemas import NAME_PATTERN
from lars.web.formats import iso

MIN_TTL, MAX_TTL = 3, 86_400
"""Seconds of a lease."""

MAX_LIMIT = 1000
"""Rows of one answer."""

_NAME = re.compile(NAME_PATTERN)

_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
"""A time as RFC 3339 has it."""

MAX_ROW = 2**53
"""The largest id that every JSON reader holds exactly."""


def module_of(modid: int, cmdid: int) -> ModuleId:
    """The module of a path; raises Problem 404 if there can be none."""
    try:
        return module_id(modid, cmdid)
    except InvalidRoute as error:
        raise unknown(str(error)) from None


def host_of(text: object, where: str) -> HostAddress:
    """A host as "10.0.0.5:8080"; raises Problem 400, which names `where` it was found."""
    if not isinstance(text, str):
        raise bad(f"{where}: write a host as a string such as 10.0.0.5:8080")
    try:
        if text != text.strip():
            raise InvalidRoute(f"{text!r} has blanks around it")
        return serving_host(text)
    except InvalidRoute as error:
        raise bad(f"{where}: {error}") from None


def number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """A number of the query; raises Problem 400 unless it is one in its range."""
    text = query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,19}", text) or not low <= int(text) <= high:
        raise bad(f"{name}: use a number from {low} to {high}")
    return int(text)


def choice(query: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    """One of some values of the query, the first unless given; raises Problem 400 for any other."""
    text = query.get(name, values[0])
    if text not in values:
        raise bad(f"{name}: use one of {', '.join(values)}")
    return text


def flag(query: Mapping[str, str], name: str) -> bool:
    """true or false, which is the default; raises Problem 400 for anything else."""
    return choice(query, name, ("false", "true")) == "true"


def search_of(query: Mapping[str, str]) -> ModuleSearch:
    """Which modules are asked for; raises Problem 400. A cursor is `next` of the previous page."""
    limit = number(query, "limit", 100, 1, MAX_LIMIT)
    sort, down = choice(query, "sort", SORTS), choice(query, "order", ("asc", "desc")) == "desc"
    text = query.get("search", "")
    if len(text) > 200:
        raise bad("search: 200 characters at most")
    cursor = query.get("cursor")
    if cursor is None:
        return ModuleSearch(text, sort, down, 0, limit)
    if after := re.fullmatch(r"([0-9]{1,10})\.([0-9]{1,10})", cursor):
        return ModuleSearch(text, "module", False, 0, limit, ModuleId(int(after[1]), int(after[2])))
    if offset := re.fullmatch(r"o([0-9]{1,9})", cursor):
        return ModuleSearch(text, sort, down, int(offset[1]), limit)
    raise bad("cursor: use next of the previous page, unchanged")


def cursor_after(search: ModuleSearch, last: ModuleId) -> str:
    """The cursor of the page that follows one which was full and ends with this module."""
    if search.sort == "module" and not search.descending:
        return f"{last.modid}.{last.cmdid}"
    return f"o{search.offset + search.limit}"


def any_object(body: bytes, content_type: str) -> dict[str, Any]:
    """The JSON object of a body. Raises Problem."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise Problem(415, "Unsupported Media Type", "send JSON, with Content-Type: application/json")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise bad("the body is not JSON") from None
    if not isinstance(value, dict):
        raise bad("the body must be a JSON object")
    return value


def json_object(body: bytes, content_type: str, keys: Mapping[str, bool]) -> dict[str, Any]:
    """The JSON object of a body, with these keys; a key with True is required. Raises Problem."""
    value = any_object(body, content_type)
    for key in value:
        if key not in keys:
            raise bad(f"the body has a key {key[:60]!r} that is unknown: use {', '.join(keys)}")
    for key, needed in keys.items():
        if needed and key not in value:
            raise bad(f"the body lacks the key {key!r}")
    return value


def hosts_of(value: object, where: str) -> frozenset[HostAddress]:
    """A list of hosts; raises Problem 400."""
    if not isinstance(value, list):
        raise bad(f"{where}: write a list of hosts such as 10.0.0.5:8080")
    if len(value) > MAX_HOSTS:
        raise bad(f"{where}: {len(value)} hosts; {MAX_HOSTS} at most")
    return frozenset(host_of(text, f"{where}[{n}]") for n, text in enumerate(value))


def name_of(value: object) -> str:
    """A name; raises Problem 400."""
    if not isinstance(value, str) or len(value) > MAX_NAME or not _NAME.fullmatch(value) or not _is_unicode(value):
        raise bad(f"name: write at most {MAX_NAME} printable characters, without blanks around them")
    return value


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can escape
        return False
    return True


def etags(header: str) -> frozenset[str] | None:
    """The strong tags of If-Match or If-None-Match, "*" as it is; None if there is no such header (RFC 9110, 13.1)."""
    if not header.strip():
        return None
    if header.strip() == "*":
        return frozenset("*")
    return frozenset(re.findall(r'(?:^|[,\s])"([^"]*)"', header))


def is_seen(module: Module, header: str) -> bool:
    """Whether If-None-Match says that the caller has the module as it is (RFC 9110, 13.1.2)."""
    wanted = etags(header)
    return wanted is not None and (module.etag in wanted or ("*" in wanted and bool(module.hosts)))


def change_of(body: bytes, content_type: str) -> HostChange:
    """What a body changes in the record of a host. Raises Problem, or BadInput with one problem for each fault."""
    values = json_object(body, content_type, dict.fromkeys(CHANGES, False))
    weight, tags = values.get("weight"), values.get("tags")
    if isinstance(weight, str):
        raise bad(f"weight: write a number from 0 to {MAX_WEIGHT}, not a text")
    if isinstance(weight, float) and weight.is_integer():
        values["weight"] = int(weight)  # 5.0 is an integer in JSON
    if isinstance(tags, list) and len(tags) > MAX_TAGS:
        raise bad(f"tags: {len(tags)} of them; {MAX_TAGS} at most")
    return host_change(values)


def drain_of(body: bytes, content_type: str, now: float) -> Drain:
    """The drain that a body asks for at `now`, in Unix seconds: until a time, for some seconds, or for good.

    Raises Problem.
    """
    values = json_object(body, content_type, {"until": False, "seconds": False, "reason": False})
    try:
        why = reason(values.get("reason", ""))
    except InvalidRoute as error:
        raise bad(str(error)) from None
    if "until" in values and "seconds" in values:
        raise bad("until and seconds: give one of them")
    if "until" in values:
        return Drain(_end_of(values["until"], now), why)
    if "seconds" not in values:
        return Drain(reason=why)
    seconds = values["seconds"]
    whole = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not whole or not 1 <= seconds <= MAX_DRAIN or seconds != int(seconds):
        raise bad(f"seconds: write a number from 1 to {MAX_DRAIN}")
    return Drain(int(now) + int(seconds), why)


def _end_of(value: object, now: float) -> int:
    """The Unix seconds of a time of RFC 3339 to come."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise bad("until: write a time such as 2026-11-25T14:00:00Z")
    try:
        end = datetime.fromisoformat(value.upper()).timestamp()
    except (ValueError, OverflowError) as error:
        raise bad(f"until: {value} is no time ({error}): write one such as 2026-11-25T14:00:00Z") from None
    if not now < end <= now + MAX_DRAIN:
        raise bad(f"until: {value} is not within {MAX_DRAIN // 86_400} days from now, {iso(now)}")
    return math.ceil(end)
