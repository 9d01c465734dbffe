"""The settings of a module: one schema for the database, the console, the API, the command line and the agents.

A setting has a dotted name, such as health_check.path. What a module does not set has the agent's default. Settings are
stored and sent as a JSON object of names and values, in canonical form: sorted, without blanks.

See docs/design/balancing.md, settings of a module.
"""

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lars.errors import BadInput, SettingsError

Value = str | int | float | bool
Settings = Mapping[str, Value]
"""Names and values of the settings that a module sets."""

POLICIES = ("adaptive", "round_robin", "consistent_hash", "classic")
"""The balancing policies (docs/design/balancing.md)."""

MAX_JSON = 4096
"""Characters of a module's settings in canonical form at most, so that they fit the frame of its route."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name, what it may be, and what it does.

    Attributes:
        name: the dotted name.
        default: the value where a module does not set it; None where the agent's conf file decides.
        help: what it does, with the unit.
    """

    name: str
    default: Value | None
    help: str

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its values, with the default."""
        default = {} if self.default is None else {"default": self.default}
        return {**self._kind(), "description": self.help, **default}

    def _kind(self) -> dict[str, Any]:
        raise NotImplementedError

    def parse(self, text: str) -> Value:
        """The value of a text from a form or the command line. Raises SettingsError, which names the setting."""
        raise NotImplementedError

    def check(self, value: Any) -> Value:
        """The value itself if it is valid. Raises SettingsError, which names the setting."""
        raise NotImplementedError

    def _refuse(self, value: object, wanted: str) -> SettingsError:
        shown = value if isinstance(value, str) else json.dumps(value, default=str)
        return SettingsError(f"{self.name}: {str(shown)[:80]!r} is not {wanted}")


@dataclass(frozen=True, slots=True)
class Choice(Setting):
    """One of some words."""

    choices: tuple[str, ...]

    def _kind(self) -> dict[str, Any]:
        return {"enum": list(self.choices)}

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            near = difflib.get_close_matches(str(value), self.choices, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise self._refuse(value, f"one of {', '.join(self.choices)}{hint}")
        return value

    def parse(self, text: str) -> str:
        return self.check(text.strip())


@dataclass(frozen=True, slots=True)
class Flag(Setting):
    """true or false."""

    def _kind(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise self._refuse(value, "true or false")
        return value

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word not in ("true", "false"):
            raise self._refuse(text, "true or false")
        return word == "true"


@dataclass(frozen=True, slots=True)
class Number(Setting):
    """A number from `low` to `high`; only whole ones if `whole`."""

    low: float
    high: float
    whole: bool = False

    def _kind(self) -> dict[str, Any]:
        kind = "integer" if self.whole else "number"
        return {"type": kind, "minimum": self.low, "maximum": self.high}

    def check(self, value: Any) -> int | float:
        wanted = f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            raise self._refuse(value, wanted)
        if self.whole and value != int(value):
            raise self._refuse(value, wanted)
        return int(value) if value == int(value) else value

    def parse(self, text: str) -> int | float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise self._refuse(text, f"a {'whole ' if self.whole else ''}number from {self.low:g} to {self.high:g}")
        return self.check(value)


@dataclass(frozen=True, slots=True)
class Text(Setting):
    """Printable ASCII without blanks, up to `most` characters, that begins with `prefix`."""

    prefix: str
    most: int

    def _kind(self) -> dict[str, Any]:
        start = self.prefix.replace("/", "\\/")
        return {"type": "string", "maxLength": self.most, "pattern": f"^{start}[!-~]*$"}

    def check(self, value: Any) -> str:
        fits = isinstance(value, str) and len(value) <= self.most and value.startswith(self.prefix)
        if not fits or any(not "!" <= c <= "~" for c in value):
            begins = f" that begins with {self.prefix}" if self.prefix else ""
            raise self._refuse(value, f"printable ASCII without blanks{begins}, of at most {self.most} characters")
        return str(value)

    def parse(self, text: str) -> str:
        return self.check(text.strip())


ALL: tuple[Setting, ...] = (
    Choice("policy", None, "How calls are balanced", POLICIES),
    Flag("ejection.enabled", True, "Whether hosts that fail are ejected (not for classic)"),
    Number("ejection.failures_in_a_row", 2, "Failures in a row that eject a host that fails alone", 1, 100, True),
    Number("ejection.first_wait", 6, "Seconds from a host's ejection to its first probe", 0.1, 600),
    Number("ejection.max_wait", 10, "Seconds between two probes at most, as they double", 0.1, 3600),
    Number("slow_start", 2, "Seconds in which a new or restored host gets to its full share", 0, 600),
    Flag("panic", True, "Whether all hosts take calls when none is healthy; otherwise calls are refused"),
    Choice("health_check.type", "tcp", "How a host is checked: tcp connects, http asks for a path", ("tcp", "http")),
    Choice(
        "health_check.when",
        "ejected",
        "Which hosts are checked: ejected ones before they take calls again, always all hosts, or none",
        ("ejected", "always", "off"),
    ),
    Text("health_check.path", "/", "The path that http asks for", "/", 512),
    Number("health_check.status", 200, "The status that http expects", 100, 599, True),
    Number("health_check.port", 0, "The port that is checked; 0: the port of the host", 0, 65535, True),
    Number("health_check.interval", 5, "Seconds from one check of a host to the next", 0.2, 3600),
    Number("health_check.timeout", 1, "Seconds after which a check fails", 0.05, 60),
    Number("health_check.rise", 2, "Checks in a row that pass before a host is healthy again", 1, 20, True),
    Number("health_check.fall", 3, "Checks in a row that fail before a host is unhealthy", 1, 20, True),
    Flag("locality.enabled", True, "Whether agents with a zone prefer hosts of that zone"),
    Number(
        "locality.overprovisioning",
        1.4,
        "How much more than its share each host of the agent's zone can take before calls leave the zone",
        1,
        100,
    ),
    Flag("client_cache", True, "Whether clients may pick by themselves between two answers of the agent"),
)
"""All settings, in the order in which people read them."""

BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in ALL}

DEFAULTS: Mapping[str, Value | None] = {setting.name: setting.default for setting in ALL}


def named(name: str) -> Setting:
    """The setting of a name. Raises SettingsError, with the nearest name, if there is none."""
    if name not in BY_NAME:
        near = difflib.get_close_matches(name, list(BY_NAME), 1, 0.5)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{name[:80]!r} is not a setting of a module{hint}")
    return BY_NAME[name]


def checked(settings: Mapping[str, Any]) -> Settings:
    """Settings as a module may have them, sorted by name. Raises BadInput with one problem for each fault."""
    good: dict[str, Value] = {}
    problems = []
    for name, value in settings.items():
        try:
            good[name] = named(name).check(value)
        except SettingsError as error:
            problems.append(str(error))
    problems += [] if problems else _contradictions(good)
    if problems:
        raise BadInput(problems)
    return dict(sorted(good.items()))


def edited(settings: Settings, edits: Iterable[str]) -> Settings:
    """Settings after edits in text form: NAME=VALUE sets, NAME= goes back to the default. Raises BadInput."""
    after: dict[str, Value] = dict(settings)
    problems = []
    for edit in edits:
        name, equals, text = edit.partition("=")
        try:
            if not equals:
                raise SettingsError(f"{edit[:80]!r} is not NAME=VALUE")
            setting = named(name.strip())
            if text.strip():
                after[setting.name] = setting.parse(text)
            else:
                after.pop(setting.name, None)
        except SettingsError as error:
            problems.append(str(error))
    if problems:
        raise BadInput(problems)
    return checked(after)


def _contradictions(settings: Settings) -> list[str]:
    """What makes no sense together."""
    whole = {**DEFAULTS, **settings}
    problems = []
    if whole["health_check.type"] != "http":
        problems += [
            f"{name}: only an http check has one; set health_check.type to http"
            for name in ("health_check.path", "health_check.status")
            if name in settings
        ]
    elif "health_check.path" not in settings:
        problems.append("health_check.path: an http check needs a path, such as /healthz")
    for low, high in (
        ("health_check.timeout", "health_check.interval"),
        ("ejection.first_wait", "ejection.max_wait"),
    ):
        if float(whole[low] or 0) > float(whole[high] or 0):
            problems.append(f"{low}: {whole[low]} is more than {high}, which is {whole[high]}")
    return problems


def as_json(settings: Settings) -> str:
    """The canonical text of checked settings; empty if nothing is set. Raises BadInput if it is too long."""
    text = json.dumps(dict(sorted(settings.items())), separators=(",", ":")) if settings else ""
    if len(text) > MAX_JSON:
        raise BadInput([f"the settings take {len(text)} characters: {MAX_JSON} is the most"])
    return text


def from_json(text: str) -> tuple[Settings, list[str]]:
    """The settings in a text of as_json, and one line for each part that this version cannot use.

    It never raises: a newer or a mistaken peer may have written the text, and what is not usable has its default.
    """
    if not text:
        return {}, []
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return {}, ["the settings are not a JSON object"]
    good: dict[str, Value] = {}
    problems = []
    for name, value in sorted(found.items()):
        try:
            good[name] = named(name).check(value)
        except SettingsError as error:
            problems.append(str(error))
    return good, problems


def with_defaults(settings: Settings, policy: str) -> Mapping[str, Value]:
    """Every setting with its value, `policy` being the agent's default policy."""
    return {name: policy if value is None else value for name, value in {**DEFAULTS, **settings}.items()}


def json_schema() -> dict[str, Any]:
    """The JSON schema of a module's settings, for the API's document."""
    return {
        "type": "object",
        "properties": {setting.name: setting.schema for setting in ALL},
        "additionalProperties": False,
    }
