"""How a service declares its settings: dataclass fields that know their section, key, parser and help text."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lars.settings.conf_file import Key
from lars.settings.values import integer


@dataclass(frozen=True, slots=True)
class Legacy:
    """A setting that the C++ conf files spell as one or more keys of their own."""

    keys: tuple[Key, ...]
    build: Callable[[Mapping[str, str]], str]
    """The setting's text from the values of those keys that the file has, by key name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How a conf file, the environment and the command line spell one field of a settings dataclass."""

    section: str
    parse: Callable[[str], Any]
    """The value of a text; raises a LarsError that says what is wrong with it."""
    help: str
    key: str = ""
    """The key in the section; empty if it is the field's name."""
    environ: str = ""
    """The environment variable; empty if there is none."""
    legacy: tuple[Legacy, ...] = ()
    in_file: bool = False
    """Whether the command line can name a file that holds the setting, since `ps` shows the command line."""


def setting(
    default: Any,
    section: str,
    parse: Callable[[str], Any],
    help: str,
    *,
    key: str = "",
    environ: str = "",
    legacy: tuple[Legacy, ...] = (),
    in_file: bool = False,
) -> Any:
    """A dataclass field that a conf file's [section] key and the option of the field's name can set.

    The other arguments are the fields of Setting.
    """
    described = Setting(section, parse, help, key, environ, legacy, in_file)
    return field(default=default, metadata={"lars": described})


@dataclass(frozen=True, slots=True)
class Sections:
    """How a conf file spells a field whose value is made of any number of sections [prefix NAME]."""

    prefix: str
    parse: Callable[[str, Mapping[str, str]], Any]


def sections(prefix: str, parse: Callable[[str, Mapping[str, str]], Any]) -> Any:
    """A dataclass field: a tuple of what `parse` makes of each section [prefix NAME], in the order of the file.

    `parse` takes NAME and the section's keys; its SettingsError begins with the key. No option sets such a field.
    """
    return field(default=(), metadata={"lars sections": Sections(prefix, parse)})


def names_given() -> Any:
    """A dataclass field: the names of the fields that a source has set, also those set to their defaults."""
    return field(default=frozenset(), metadata={"lars names given": True})


def field_of_names_given(settings_type: type) -> str:
    """The name of the field that `names_given` made; empty if there is none."""
    return next((f.name for f in dataclasses.fields(settings_type) if "lars names given" in f.metadata), "")


def described(settings_type: type) -> dict[str, tuple[Setting, Any]]:
    """Field name -> (its Setting, its default) for a settings dataclass, without the fields made of sections."""
    return {f.name: (f.metadata["lars"], f.default) for f in dataclasses.fields(settings_type) if "lars" in f.metadata}


def made_of_sections(settings_type: type) -> dict[str, Sections]:
    """Field name -> its Sections, for the fields of a settings dataclass that are made of sections."""
    return {
        f.name: f.metadata["lars sections"] for f in dataclasses.fields(settings_type) if "lars sections" in f.metadata
    }


def legacy_key(section: str, key: str) -> tuple[Legacy, ...]:
    """One key of the C++ conf files that means the same as a setting under another name."""
    return (Legacy(((section, key),), lambda texts: texts[key]),)


def legacy_listen(port: int) -> tuple[Legacy, ...]:
    """The C++ [reactor] ip and port, as an endpoint; `port` is the default."""

    def build(texts: Mapping[str, str]) -> str:
        given = integer(1, 65535)(texts.get("port", str(port)))
        address = texts.get("ip", "0.0.0.0")
        return f"tcp:{given}:interface={f'[{address}]' if ':' in address and '[' not in address else address}"

    return (Legacy((("reactor", "ip"), ("reactor", "port")), build),)
