"""Alarm rules, and how they are written: one [alarm NAME] section each of the conf file. Pure.

See docs/design/reporter.md, alarms.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lars.errors import SettingsError
from lars.reporter.alarms import target
from lars.reporter.alarms.target import Headers
from lars.route import MAX_ID
from lars.settings import integer, number

MAX_NAME = 64
"""Characters in a rule's name."""

MIN_SILENCE = 120.0
"""Seconds: an agent without calls reports every 60, so less would raise alarms for callers that are up."""

DAY = 86_400.0


class Kind(StrEnum):
    """What a rule checks. The values are those of the conf key `what`."""

    ERR_RATE = "err_rate"
    OVERLOADED_HOST = "overloaded_host"
    NO_IDLE_HOST = "no_idle_host"
    SILENT_CALLER = "silent_caller"
    HOSTS_KEPT = "hosts_kept"


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """When to raise an alarm, and where to post it. Times are in seconds.

    Attributes:
        name: unique among the rules, 1 to MAX_NAME characters.
        kind: what the rule checks.
        modules: (modid, cmdid) of the modules it applies to, cmdid None for all of a modid; empty: all modules.
        over: the period that is evaluated, up to now; for a silent caller, how long it must have been silent.
        above: the highest error rate without an alarm, 0 to less than 1.
        min_calls: the calls below which an error rate is ignored, or does not show that a host is down.
        per_host: whether the error rate is that of each host, or that of the module.
        min_callers: how many callers must have ejected a host.
        share: for which share of the time, over 0 to 1, hosts must have been ejected.
        raise_after: for how long the rule must be violated before the alarm is raised.
        clear_after: for how long it must not be violated before the alarm is cleared.
        webhook: the URL to which both are posted, without user and password; empty: none.
        headers: what is sent with a post; secrets among them.
    """

    name: str
    kind: Kind
    modules: tuple[tuple[int, int | None], ...] = ()
    over: float = 60.0
    above: float = 0.1
    min_calls: int = 100
    per_host: bool = False
    min_callers: int = 1
    share: float = 0.5
    raise_after: float = 30.0
    clear_after: float = 60.0
    webhook: str = ""
    headers: Headers = field(default=(), repr=False)

    def applies_to(self, modid: int, cmdid: int) -> bool:
        """Whether the rule applies to a module."""
        return not self.modules or (modid, cmdid) in self.modules or (modid, None) in self.modules


DEFAULT_RULES = (
    AlarmRule("module-down", Kind.NO_IDLE_HOST, min_calls=10, raise_after=60.0),
    AlarmRule("module-errors", Kind.ERR_RATE, over=300.0, above=0.1, raise_after=60.0),
)
"""The rules of a reporter whose conf has none: a dead module raises although nobody has written a rule. They post
nothing (docs/design/reporter.md, alarms)."""


def default_rule_names(text: str) -> str:
    """A list of names of DEFAULT_RULES, such as "module-down, module-errors", or empty; raises SettingsError."""
    known = [rule.name for rule in DEFAULT_RULES]
    for name in _names(text):
        if name not in known:
            raise SettingsError(f"{name!r} is no default rule: they are {', '.join(known)}; empty: none")
    return text


def rules_named(text: str) -> tuple[AlarmRule, ...]:
    """The default rules of a list of their names."""
    names = _names(text)
    return tuple(rule for rule in DEFAULT_RULES if rule.name in names)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_rule(name: str, texts: Mapping[str, str]) -> AlarmRule:
    """The rule that a section describes; raises SettingsError, naming the key, if a key or its value is invalid."""
    if not name or len(name) > MAX_NAME:
        raise SettingsError(f"a rule's name must have 1 to {MAX_NAME} characters: [alarm NAME]")
    kind = _kind(texts)
    known = _OF_KIND[kind]
    values: dict[str, Any] = {}
    targets: dict[str, str | Headers] = {}
    for key, text in texts.items():
        if key == "what":
            continue
        try:
            if key in target.KEYS:
                targets[key] = target.KEYS[key](text)
            elif key in known:
                field_name, parse = known[key]
                values[field_name] = parse(text)
            else:
                raise SettingsError(_why_unknown(key, kind))
        except SettingsError as error:
            raise SettingsError(f"{key}: {error}") from None
    values.setdefault("over", _DEFAULT_OVER[kind])
    values.setdefault("min_calls", _DEFAULT_MIN_CALLS[kind])
    least = _LEAST_OVER[kind]
    if values["over"] < least[0]:
        raise SettingsError(f"over: {values['over']:g} s is too short: {least[1]}; use {least[0]:g} or more")
    url, headers = target.target(targets)
    return AlarmRule(name, kind, **values, webhook=url, headers=headers)


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
    return f"no such key; valid keys are what, {', '.join([*_OF_KIND[kind], *target.KEYS])}"


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


_Parsers = dict[str, tuple[str, Callable[[str], Any]]]
"""Key -> (field of AlarmRule, how its text is read)."""

_TIMES: _Parsers = {
    "over": ("over", number(1, 30 * DAY)),
    "raise_after": ("raise_after", number(0, DAY)),
    "clear_after": ("clear_after", number(0, DAY)),
}

_OF_MODULES: _Parsers = {"modules": ("modules", _modules)}

_OF_EJECTIONS: _Parsers = {"share": ("share", number(0.01, 1))}

_MIN_CALLS: _Parsers = {"min_calls": ("min_calls", integer(1, 2**31 - 1))}

_OF_KIND: dict[Kind, _Parsers] = {
    Kind.ERR_RATE: {
        **_TIMES,
        **_OF_MODULES,
        **_MIN_CALLS,
        "above": ("above", _above),
        "per": ("per_host", _per),
    },
    Kind.OVERLOADED_HOST: {
        **_TIMES,
        **_OF_MODULES,
        **_OF_EJECTIONS,
        "min_callers": ("min_callers", integer(1, 1_000_000)),
    },
    Kind.NO_IDLE_HOST: {**_TIMES, **_OF_MODULES, **_OF_EJECTIONS, **_MIN_CALLS},
    Kind.SILENT_CALLER: _TIMES,
    Kind.HOSTS_KEPT: {},
}

_DEFAULT_OVER = {
    Kind.ERR_RATE: 60.0,
    Kind.OVERLOADED_HOST: 60.0,
    Kind.NO_IDLE_HOST: 60.0,
    Kind.SILENT_CALLER: 300.0,
    Kind.HOSTS_KEPT: 0.0,
}

_DEFAULT_MIN_CALLS = dict.fromkeys(Kind, 100) | {Kind.NO_IDLE_HOST: 10}

_LEAST_OVER = {
    Kind.ERR_RATE: (60.0, "calls are counted by the minute"),
    Kind.OVERLOADED_HOST: (10.0, "agents report every few seconds"),
    Kind.NO_IDLE_HOST: (10.0, "agents report every few seconds"),
    Kind.SILENT_CALLER: (MIN_SILENCE, "agents without calls report every 60 s"),
    Kind.HOSTS_KEPT: (0.0, ""),
}
