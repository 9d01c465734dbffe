"""The form of a module's settings, made from their schema: pure (docs/design/balancing.md, settings of a module)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lars.errors import BadInput, SettingsError
from lars.module_settings import ALL, Choice, Flag, Number, Setting, Settings, Text, Value, checked
from lars.web.language import Translatable, untranslated
from lars.web.pages.forms import FormError

GROUPS: Mapping[str, Translatable] = {
    "": Translatable("Balancing"),
    "ejection": Translatable("Ejection"),
    "health_check": Translatable("Health checks"),
    "locality": Translatable("Zones"),
}
"""The titles of the groups by the first part of the names; a group that is not here has its name as its title."""

_CONTRADICTIONS = (
    (
        re.compile(r"only an http check has one; set health_check\.type to http"),
        Translatable("%(name)s: only an http check has one; set health_check.type to http."),
    ),
    (
        re.compile(r"an http check needs a path, such as /healthz"),
        Translatable("%(name)s: an http check needs a path, such as /healthz."),
    ),
    (
        re.compile(r"(?P<value>\S+) is more than (?P<other>\S+), which is (?P<most>\S+)"),
        Translatable("%(name)s: %(value)s is more than %(other)s, which is %(most)s."),
    ),
)
"""What lars.module_settings.checked says of settings that make no sense together, after their name."""


@dataclass(frozen=True, slots=True)
class SettingField:
    """One field of the form.

    Attributes:
        setting: its schema.
        text: what is typed into it; empty where the module does not set it.
    """

    setting: Setting
    text: str

    @property
    def default(self) -> str:
        """The text of the default; empty where the agent's conf file decides."""
        return value_text(self.setting.default)

    @property
    def choices(self) -> tuple[str, ...]:
        """What can be chosen, with what was chosen though it cannot be; empty if the field is typed."""
        match self.setting:
            case Choice(choices=choices):
                pass
            case Flag():
                choices = ("true", "false")
            case _:
                return ()
        return choices if self.text in ("", *choices) else (*choices, self.text)

    @property
    def range(self) -> tuple[str, str]:
        """The lowest and the highest number, as texts; empty for anything else."""
        return (f"{self.setting.low:g}", f"{self.setting.high:g}") if isinstance(self.setting, Number) else ("", "")


def value_text(value: Value | None) -> str:
    """A value as the form and the command line write it; empty for None."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def texts_of(settings: Settings) -> dict[str, str]:
    """The texts of the fields of settings that a module has."""
    return {name: value_text(value) for name, value in settings.items()}


def field_groups(texts: Mapping[str, str]) -> list[tuple[Translatable, list[SettingField]]]:
    """The fields with their texts, by groups with their titles, each in the order of the schema."""
    fields: dict[str, list[SettingField]] = {name: [] for name in GROUPS}
    for setting in ALL:
        field = SettingField(setting, texts.get(setting.name, ""))
        fields.setdefault(setting.name.rpartition(".")[0], []).append(field)
    return [(GROUPS.get(name, untranslated(name)), group) for name, group in fields.items() if group]


def parse_settings(texts: Mapping[str, str]) -> Settings:
    """The settings of a form; an empty field sets nothing. Raises FormError by the names of the settings."""
    values: dict[str, Value] = {}
    errors: dict[str, Translatable] = {}
    for setting in ALL:
        if text := texts.get(setting.name, "").strip():
            try:
                values[setting.name] = setting.parse(text)
            except SettingsError:
                errors[setting.name] = _refusal(setting)
    if not errors:
        try:
            return checked(values)
        except BadInput as bad:
            errors = dict(map(_contradiction, bad.problems))
    raise FormError(**errors)


def _refusal(setting: Setting) -> Translatable:
    name = setting.name
    match setting:
        case Number(low=low, high=high, whole=True):
            return Translatable(
                "%(name)s: write a whole number from %(low)s to %(high)s.", name=name, low=low, high=high
            )
        case Number(low=low, high=high):
            return Translatable(
                "%(name)s: write a number from %(low)s to %(high)s.", name=name, low=f"{low:g}", high=f"{high:g}"
            )
        case Text(prefix=prefix, most=most):
            return Translatable(
                "%(name)s: write up to %(most)s printable ASCII characters without blanks, beginning with %(prefix)s.",
                name=name,
                most=most,
                prefix=prefix,
            )
        case Choice(choices=choices):
            return Translatable("%(name)s: choose one of %(choices)s.", name=name, choices=", ".join(choices))
    return Translatable("%(name)s: choose one of %(choices)s.", name=name, choices="true, false")


def _contradiction(problem: str) -> tuple[str, Translatable]:
    """The name of a setting, and what is wrong with it."""
    name, _colon, text = problem.partition(": ")
    for form, translatable in _CONTRADICTIONS:
        if match := form.fullmatch(text):
            return name, Translatable(translatable.text, name=name, **match.groupdict())
    return name, untranslated(problem)
