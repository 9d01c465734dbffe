"""Alarm rules, and how they are written: one [alarm NAME] section each of the conf file. Pure.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from lars.errors import SettingsError
from lars.route import MAX_ID
from lars.settings import integer, number

MAX_NAME = 64
"""Characters in a rule's name."""

MAX_WEBHOOK = 1024
"""Characters in a webhook's URL."""

MIN_SILENCE = 120.0
"""Seconds: an agent without calls reports every 60, so less would raise alarms for callers that are up."""

DAY = 86_400.0


class Kind(StrEnum):
    """What a rule checks. The values are those of the conf key `what`."""

    ERR_RATE = "err_rate"
    OVERLOADED_HOST = "overloaded_host"
    NO_IDLE_HOST = "no_idle_host"
    SILENT_CALLER = "silent_caller"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When to raise an alarm, and where to post it. Times are in seconds.

    Attributes:
        name: unique among the rules, 1 to MAX_NAME characters.
        kind: what the rule checks.
        modules: (modid, cmdid) of the modules it applies to, cmdid None for all of a modid; empty: all modules.
        over: the period that is evaluated, up to now; for a silent caller, how long it must have been silent.
        above: the highest error rate without an alarm, 0 to less than 1.
        min_calls: the calls below which an error rate is ignored.
        per_host: whether the error rate is that of each host, or that of the module.
        min_callers: how many callers must have ejected a host.
        raise_after: for how long the rule must be violated before the alarm is raised.
        clear_after: for how long it must not be violated before the alarm is cleared.
        webhook: the URL to which both are posted; empty: none.
    """

    name: str
    kind: Kind
    modules: tuple[tuple[int, int | None], ...] = ()
    over: float = 60.0
    above: float = 0.1
    min_calls: int = 100
    per_host: bool = False
    min_callers: int = 1
    raise_after: float = 30.0
    clear_after: float = 60.0
    webhook: str = ""

    def applies_to(self, modid: int, cmdid: int) -> bool:
        """Whether the rule applies to a module."""
        return not self.modules or (modid, cmdid) in self.modules or (modid, None) in self.modules


def parse_rule(name: str, texts: Mapping[str, str]) -> AlarmRule:
    """The rule that a section describes; raises SettingsError, naming the key, if a key or its value is invalid."""
    if not name or len(name) > MAX_NAME:
        raise SettingsError(f"a rule's name must have 1 to {MAX_NAME} characters: [alarm NAME]")
    kind = _kind(texts)
    known = {**_COMMON, **_OF_KIND[kind]}
    values: dict[str, Any] = {}
    for key, text in texts.items():
        if key == "what":
            continue
        if key not in known:
            raise SettingsError(f"{key}: {_why_unknown(key, kind)}")
        field, parse = known[key]
        try:
            values[field] = parse(text)
        except SettingsError as error:
            raise SettingsError(f"{key}: {error}") from None
    values.setdefault("over", _DEFAULT_OVER[kind])
    least = _LEAST_OVER[kind]
    if values["over"] < least[0]:
        raise SettingsError(f"over: {values['over']:g} s is too short: {least[1]}; use {least[0]:g} or more")
    return AlarmRule(name, kind, **values)


def _kind(texts: Mapping[str, str]) -> Kind:
    kinds = ", ".join(Kind)
    if "what" not in texts:
        raise SettingsError(f"what: is missing; set it to one of {kinds}")
    try:
        return Kind(texts["what"])
    except ValueError:
        raise SettingsError(f"what: {texts['what']!r} is not one of {kinds}") from None


def _why_unknown(key: str, kind: Kind) -> str:
    kinds = [other.value for other in Kind if key in _OF_KIND[other]]
    if kinds:
        return f"is valid only for {' and '.join(kinds)}, not for what = {kind.value}"
    return f"no such key; valid keys are what, {', '.join([*_COMMON, *_OF_KIND[kind]])}"


def _modules(text: str) -> tuple[tuple[int, int | None], ...]:
    if text.strip() in ("all", ""):
        return ()
    return tuple(_module(part.strip()) for part in text.split(","))


def _module(text: str) -> tuple[int, int | None]:
    modid, colon, cmdid = text.partition(":")
    identifier = integer(0, MAX_ID)
    if not colon:
        raise SettingsError(f"{text!r} is not a module: write MODID:CMDID, or MODID:* for all of a MODID, or all")
    return identifier(modid), None if cmdid.strip() == "*" else identifier(cmdid)


def _above(text: str) -> float:
    value = number(0, 1)(text)
    if value == 1:
        raise SettingsError("no error rate is above 1; use less, such as 0.1")
    return value


def _per(text: str) -> bool:
    if text not in ("module", "host"):
        raise SettingsError(f"{text!r} is neither module nor host")
    return text == "host"


def _webhook(text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or len(text) > MAX_WEBHOOK or any(character.isspace() for character in text):
        raise SettingsError(f"is not an http:// or https:// URL with a host, of at most {MAX_WEBHOOK} characters")
    return text


_Parsers = dict[str, tuple[str, Callable[[str], Any]]]
"""Key -> (field of AlarmRule, how its text is read)."""

_COMMON: _Parsers = {
    "over": ("over", number(1, 30 * DAY)),
    "raise_after": ("raise_after", number(0, DAY)),
    "clear_after": ("clear_after", number(0, DAY)),
    "webhook": ("webhook", _webhook),
}

_OF_MODULES: _Parsers = {"modules": ("modules", _modules)}

_OF_KIND: dict[Kind, _Parsers] = {
    Kind.ERR_RATE: {
        **_OF_MODULES,
        "above": ("above", _above),
        "min_calls": ("min_calls", integer(1, 2**31 - 1)),
        "per": ("per_host", _per),
    },
    Kind.OVERLOADED_HOST: {**_OF_MODULES, "min_callers": ("min_callers", integer(1, 1_000_000))},
    Kind.NO_IDLE_HOST: _OF_MODULES,
    Kind.SILENT_CALLER: {},
}

_DEFAULT_OVER = {
    Kind.ERR_RATE: 60.0,
    Kind.OVERLOADED_HOST: 180.0,
    Kind.NO_IDLE_HOST: 180.0,
    Kind.SILENT_CALLER: 300.0,
}

_LEAST_OVER = {
    Kind.ERR_RATE: (60.0, "calls are counted by the minute"),
    Kind.OVERLOADED_HOST: (10.0, "agents report every few seconds"),
    Kind.NO_IDLE_HOST: (10.0, "agents report every few seconds"),
    Kind.SILENT_CALLER: (MIN_SILENCE, "agents without calls report every 60 s"),
}
