"""What people type into forms: pure, from texts to values, or to what is wrong beside each field."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from lars.accounts import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    ROLES,
    TOKEN_ROLES,
    BadAccount,
    is_easily_guessed,
    new_password,
    user_name,
)
from lars.db.modules import MAX_NAME
from lars.durations import duration
from lars.errors import InvalidRoute, SettingsError
from lars.host_record import (
    MAX_DRAIN,
    MAX_NOTE,
    MAX_TAG,
    MAX_TAGS,
    MAX_WEIGHT,
    MAX_ZONE,
    Drain,
    HostChange,
    note,
    tags,
    weight,
    zone,
)
from lars.module_ranges import BadRanges, ModuleRanges, module_ranges
from lars.route import MAX_HOSTS, MAX_ID, HostAddress, ModuleId, parse_ip, parse_port
from lars.web.language import Translatable

MAX_DAYS = 3650
"""Days for which a token works at most, unless it does for ever."""

MAX_NAMED = 10
"""Bad lines of a pasted list that are named; of others, only the number is shown."""


class FormError(Exception):
    """A form cannot be used: what is wrong, by field."""

    def __init__(self, **errors: Translatable) -> None:
        super().__init__("; ".join(map(str, errors.values())))
        self.errors = errors


def parse_module(modid: str, cmdid: str) -> ModuleId:
    """A module's ids; raises FormError for `modid` and `cmdid`."""
    errors, numbers = {}, []
    for name, text in (("modid", modid.strip()), ("cmdid", cmdid.strip())):
        if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= MAX_ID:
            numbers.append(int(text))
        else:
            errors[name] = Translatable("Write a number from 0 to %(most)s.", most=MAX_ID)
    if errors:
        raise FormError(**errors)
    if numbers == [0, 0]:
        raise FormError(
            cmdid=Translatable("Module (0, 0) does not exist: its messages would be empty. Choose other numbers.")
        )
    return ModuleId(*numbers)


def parse_line(text: str) -> HostAddress | Translatable:
    """One host as it was typed, or what is wrong with it."""
    ip, colon, port = text.rpartition(":")
    if not colon:
        return Translatable("%(line)s: write IP:PORT, as in 10.0.0.5:8080.", line=text[:60])
    try:
        number = parse_ip(ip)
    except InvalidRoute:
        return Translatable("%(line)s: not an IPv4 address (Lars never resolves names).", line=text[:60])
    if not number:
        return Translatable("%(line)s: 0.0.0.0 is the address of no host.", line=text[:60])
    try:
        return HostAddress(number, parse_port(port))
    except InvalidRoute:
        return Translatable("%(line)s: the port is a number from 1 to 65535.", line=text[:60])


class BadHosts(Exception):
    """A list of hosts has bad lines: what is wrong with the first ones, and how many more there are."""

    def __init__(self, problems: tuple[Translatable, ...], more: int = 0) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems
        self.more = more


def parse_hosts(text: str, needed: bool = True) -> frozenset[HostAddress]:
    """A pasted list: hosts separated by line ends, blanks, commas or semicolons; a # begins a comment.

    Raises BadHosts, naming the first bad ones.
    """
    lines = [line.partition("#")[0] for line in text.splitlines()]
    words = [word for line in lines for word in re.split(r"[\s,;]+", line) if word]
    parsed = [parse_line(word) for word in words]
    problems = [problem for problem in parsed if isinstance(problem, Translatable)]
    if problems:
        raise BadHosts(tuple(problems[:MAX_NAMED]), max(0, len(problems) - MAX_NAMED))
    hosts = frozenset(host for host in parsed if isinstance(host, HostAddress))
    if needed and not hosts:
        raise BadHosts((Translatable("Write at least one host, as IP:PORT."),))
    if len(hosts) > MAX_HOSTS:
        raise BadHosts(
            (Translatable("A module has at most %(most)s hosts; these are %(n)s.", most=MAX_HOSTS, n=len(hosts)),)
        )
    return hosts


def parse_name(text: str) -> str:
    """The name of a modid or cmdid; empty for none. Raises FormError for `name`."""
    name = " ".join(text.split())
    if len(name) > MAX_NAME:
        raise FormError(name=Translatable("A name has at most %(most)s characters.", most=MAX_NAME))
    if not name.isprintable():
        raise FormError(name=Translatable("A name has no control characters."))
    return name


_RECORD: tuple[tuple[str, Callable[[str], object], Translatable], ...] = (
    (
        "weight",
        lambda text: weight(text.strip()),
        Translatable("Write a whole number from 0 to %(most)s.", most=MAX_WEIGHT),
    ),
    (
        "zone",
        lambda text: zone(text.strip()),
        Translatable("A zone is up to %(most)s of a-z, 0-9, dot and hyphen, without blanks.", most=MAX_ZONE),
    ),
    (
        "tags",
        lambda text: tags([word for word in re.split(r"[\s,]+", text) if word]),
        Translatable(
            "Write at most %(n)s tags, each up to %(most)s printable ASCII characters.", n=MAX_TAGS, most=MAX_TAG
        ),
    ),
    ("note", note, Translatable("Write one line of at most %(most)s printable characters.", most=MAX_NOTE)),
)
"""The fields of a host's record: the parser, and what to say if it refuses."""


def parse_record(fields: Mapping[str, str]) -> HostChange:
    """The change that the form of a host asks for; raises FormError for `weight`, `zone`, `tags` and `note`."""
    values: dict[str, Any] = {}
    errors = {}
    for name, parse, problem in _RECORD:
        try:
            values[name] = parse(fields.get(name, ""))
        except InvalidRoute:
            errors[name] = problem
    if errors:
        raise FormError(**errors)
    return HostChange(**values)


def parse_drain(time: str, reason: str, now: float) -> Drain:
    """A drain for a time such as "90m", "2h" or "1d 12h", without end if it is empty, from `now` in Unix seconds.

    Raises FormError for `time` and `reason`.
    """
    errors, seconds = {}, 0
    if time.strip():
        try:
            seconds = duration(time, MAX_DRAIN)
        except SettingsError:
            errors["time"] = Translatable(
                "Write a time such as 30m, 2h or 1d 12h, of at most %(most)s days.", most=MAX_DRAIN // 86_400
            )
    try:
        reason = note(reason)
    except InvalidRoute:
        errors["reason"] = Translatable("Write one line of at most %(most)s printable characters.", most=MAX_NOTE)
    if errors:
        raise FormError(**errors)
    return Drain(int(now) + seconds if seconds else 0, reason)


def parse_user(text: str) -> str:
    """A user's name; raises FormError for `name`."""
    try:
        return user_name(text)
    except BadAccount:
        raise FormError(
            name=Translatable("A name is 1 to 64 of a-z, 0-9 and ._-@, and begins with a letter or digit.")
        ) from None


def parse_password(text: str, again: str, user: str) -> str:
    """A new password of a user, typed twice; raises FormError for `password` and `again`."""
    try:
        new_password(text, user)
    except BadAccount:
        problem = Translatable(
            "A password has %(least)s to %(most)s characters.", least=MIN_PASSWORD, most=MAX_PASSWORD
        )
        if MIN_PASSWORD <= len(text) <= MAX_PASSWORD and is_easily_guessed(text, user):
            problem = Translatable(
                "This is one of the passwords that are tried first: choose another, such as four random words."
            )
        raise FormError(password=problem) from None
    if text != again:
        raise FormError(again=Translatable("This differs from what you typed above."))
    return text


def parse_role(text: str) -> str:
    """A role; raises FormError for `role`."""
    if text not in ROLES:
        raise FormError(role=Translatable("Choose one of these."))
    return text


def parse_token_role(text: str) -> str:
    """The role of a token; raises FormError for `role`."""
    if text not in TOKEN_ROLES:
        raise FormError(role=Translatable("Choose one of these."))
    return text


def parse_ranges(text: str) -> ModuleRanges:
    """The modules that a user or a token edits; raises FormError for `ranges`."""
    try:
        return module_ranges(text)
    except BadRanges:
        problem = Translatable("Write modids such as 1 or 1-99, or modules such as 1.1 or 2.*, by commas.")
        raise FormError(ranges=problem) from None


def parse_days(text: str) -> int:
    """The days for which a token works, 0 for ever if the field is empty; raises FormError for `days`."""
    text = text.strip()
    if not text:
        return 0
    if text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_DAYS:
        return int(text)
    raise FormError(days=Translatable("Write a number of days from 1 to %(most)s, or nothing.", most=MAX_DAYS))


def parse_token_name(text: str) -> str:
    """What a token is for; raises FormError for `token`."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= 100 or not name.isprintable():
        raise FormError(token=Translatable("Say in 1 to 100 characters what uses it."))
    return name
