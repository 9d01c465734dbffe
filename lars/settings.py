"""Settings: built-in default, then the conf file, then the environment, then the command line.

See docs/design/settings.md, sources.

A service declares its settings as a frozen dataclass whose fields are made by `setting`; `resolve` fills it once, and
`Options` lets twistd's command line set each of them. Every error names the file, section and key, or the option.
"""

import dataclasses
import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from configparser import Error as ConfError
from configparser import MissingSectionHeaderError, ParsingError, RawConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from twisted.internet.endpoints import serverFromString
from twisted.python import usage

from lars.errors import LarsError, SettingsError

Key = tuple[str, str]
"""(section, key) of a conf file."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Legacy:
    """A setting that the C++ conf files spell as one or more keys of their own."""

    keys: tuple[Key, ...]
    build: Callable[[Mapping[str, str]], str]
    """The setting's text from the values of those keys that the file has, by key name."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How one field of a settings dataclass is written by a person."""

    section: str
    parse: Callable[[str], Any]
    help: str
    key: str = ""  # empty: the field's name
    environ: str = ""
    legacy: tuple[Legacy, ...] = ()


def setting(
    default: Any,
    section: str,
    parse: Callable[[str], Any],
    help: str,
    *,
    key: str = "",
    environ: str = "",
    legacy: tuple[Legacy, ...] = (),
) -> Any:
    """A dataclass field that a conf file's [section] key and the option of the field's name can set."""
    described = Setting(section, parse, help, key, environ, legacy)
    return field(default=default, metadata={"lars": described})


@dataclass(frozen=True, slots=True)
class Sections:
    """How a field is written whose value is made of any number of conf sections [prefix NAME]."""

    prefix: str
    parse: Callable[[str, Mapping[str, str]], Any]


def sections(prefix: str, parse: Callable[[str, Mapping[str, str]], Any]) -> Any:
    """A dataclass field, a tuple of what `parse` makes of each section [prefix NAME]: given NAME and its keys, it
    raises SettingsError with a text that begins with the key. No option of the command line sets it."""
    return field(default=(), metadata={"lars sections": Sections(prefix, parse)})


def described(settings_type: type) -> dict[str, tuple[Setting, Any]]:
    """Field name -> (how it is written, its default), of a settings dataclass; fields made of sections are left out."""
    return {f.name: (f.metadata["lars"], f.default) for f in dataclasses.fields(settings_type) if "lars" in f.metadata}


def _made_of_sections(settings_type: type) -> dict[str, Sections]:
    return {
        f.name: f.metadata["lars sections"] for f in dataclasses.fields(settings_type) if "lars sections" in f.metadata
    }


def legacy_key(section: str, key: str) -> tuple[Legacy, ...]:
    """One key of the C++ conf files that means the same as a setting of ours under another name."""
    return (Legacy(((section, key),), lambda texts: texts[key]),)


def legacy_listen(port: int) -> tuple[Legacy, ...]:
    """The C++ [reactor] ip and port, as a place to listen."""

    def build(texts: Mapping[str, str]) -> str:
        given = integer(1, 65535)(texts.get("port", str(port)))
        return f"tcp:{given}:interface={texts.get('ip', '0.0.0.0')}"

    return (Legacy((("reactor", "ip"), ("reactor", "port")), build),)


def integer(low: int, high: int) -> Callable[[str], int]:
    """A parser of decimal numbers from low to high."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise SettingsError(f"{text!r} is not a number from {low} to {high}")
        return value

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """A parser of numbers from low to high."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = low - 1
        if not low <= value <= high:
            raise SettingsError(f"{text!r} is not a number from {low:g} to {high:g}")
        return value

    return parse


def seconds(text: str) -> float:
    """A period, 0.01 to 31,536,000 s (a year)."""
    return number(0.01, 31_536_000)(text)


def ratio(text: str) -> float:
    """A share, 0 to 1."""
    return number(0, 1)(text)


def endpoint(text: str) -> str:
    """A place to listen, as a Twisted endpoint string; checked here, opened later."""
    try:
        serverFromString(None, text)
    except Exception as error:  # the parsers are plugins, and raise what they will
        raise SettingsError(
            f"{text!r} is no place to listen ({error}); write a Twisted endpoint such as tcp:7778:interface=127.0.0.1"
        ) from None
    return text


def absolute_path(text: str) -> str:
    """A path, made absolute at once: a daemon changes its directory."""
    try:
        return str(Path(text).expanduser().absolute()) if text else ""
    except RuntimeError as error:  # ~nobody-of-that-name
        raise SettingsError(f"{text!r} is no path: {error}") from None


def read_conf(path: str) -> dict[Key, str]:
    """The values of a conf file, as the C++ programs read it.

    No interpolation (passwords hold %), case kept, leading blanks of a line ignored, the last of two equal keys wins.
    A section without keys has one whose name is empty.
    Raises SettingsError, naming the file and the line, when it cannot be read.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"conf file {path}: cannot be read: {reason}") from None
    parser = RawConfigParser(strict=False, default_section="\0", delimiters=("=",))
    parser.optionxform = str  # type: ignore[method-assign, assignment]  # the documented way to keep the case
    try:
        parser.read_string("\n".join(line.strip() for line in lines), source=path)
    except MissingSectionHeaderError as error:
        raise SettingsError(f"conf file {path}, line {error.lineno}: a [section] must come first") from None
    except ParsingError as error:
        raise SettingsError(f"conf file {path}, line {error.errors[0][0]}: not a `key = value` line") from None
    except ConfError as error:
        raise SettingsError(f"conf file {path}: {str(error).splitlines()[0]}") from None
    return {
        (section, key): value for section in parser.sections() for key, value in parser.items(section) or [("", "")]
    }


IGNORED: frozenset[Key] = frozenset({("reactor", "threadNum")})
"""Keys of the C++ conf files that are accepted and have no effect here."""


def resolve(
    settings_type: type[T],
    *,
    conf: str | None = None,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, str | None] | None = None,
) -> T:
    """The settings of one service, each from the last place that sets it.

    Args:
        settings_type: a frozen dataclass whose fields are made by `setting`.
        conf: path of the conf file, or None.
        environ: the environment, or None to use none.
        options: texts from the command line by field name; None where the option was not given.

    Raises SettingsError on the first value that cannot be used and on a conf key that no setting has.
    """
    in_file = read_conf(conf) if conf else {}
    values: dict[str, Any] = {}
    known: set[Key] = set(IGNORED)
    for name, (how, _default) in described(settings_type).items():
        key = (how.section, how.key or name)
        known.add(key)
        for legacy in how.legacy:
            known.update(legacy.keys)
            texts = {k: in_file[section, k] for section, k in legacy.keys if (section, k) in in_file}
            if texts:
                section = legacy.keys[0][0]
                where = f"{conf}: [{section}] " + ", ".join(f"{k} = {_shown(k, v)}" for k, v in texts.items())
                values[name] = _parsed(where, _composed(legacy, how), texts)
        if key in in_file:
            where = f"{conf}: [{key[0]}] {key[1]} = {_shown(key[1], in_file[key])}"
            values[name] = _parsed(where, how.parse, in_file[key])
        if how.environ and (in_environ := (environ or {}).get(how.environ)):
            values[name] = _parsed(f"environment {how.environ}", how.parse, in_environ)
        if (given := (options or {}).get(name)) is not None:
            values[name] = _parsed(f"option --{option_name(name)}", how.parse, given)
    for name, many in _made_of_sections(settings_type).items():
        values[name], theirs = _of_sections(conf, many, in_file)
        known |= theirs
    _refuse_unknown(conf, in_file, known)
    try:
        return settings_type(**values)
    except SettingsError as error:
        raise SettingsError(f"{conf or 'settings'}: {error}") from None


def _of_sections(conf: str | None, many: Sections, in_file: Mapping[Key, str]) -> tuple[tuple[Any, ...], set[Key]]:
    """The values that sections [prefix NAME] describe, in the order of the file, and the keys that they have."""
    texts: dict[str, dict[str, str]] = {}
    for section, key in in_file:
        if section.split(" ")[0] == many.prefix:
            texts.setdefault(section, {}).update({key: in_file[section, key]} if key else {})
    values = []
    for section, of_section in texts.items():
        try:
            values.append(many.parse(section[len(many.prefix) :].strip(), of_section))
        except LarsError as error:
            raise SettingsError(f"{conf}: [{section}] {error}") from None
    return tuple(values), {(section, key) for section, of_section in texts.items() for key in of_section}


def _shown(key: str, value: str) -> str:
    return "***" if "passw" in key or "://" in value or "@" in value else repr(value)


def _composed(legacy: Legacy, how: Setting) -> Callable[[Mapping[str, str]], Any]:
    return lambda texts: how.parse(legacy.build(texts))


def _parsed(where: str, parse: Callable[[Any], Any], given: Any) -> Any:
    try:
        return parse(given)
    except LarsError as error:
        raise SettingsError(f"{where}: {error}") from None


def _refuse_unknown(conf: str | None, in_file: Mapping[Key, str], known: set[Key]) -> None:
    for section, key in in_file:
        if key and (section, key) not in known:
            names = {f"[{s}] {k}" for s, k in known}
            near = difflib.get_close_matches(f"[{section}] {key}", sorted(names), 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{conf}: [{section}] {key}: no such setting{hint}")


def _default_text(default: object) -> str:
    return ",".join(map(str, default)) if type(default) is tuple else str(default)


def option_name(name: str) -> str:
    """The command line's spelling of a setting: max_connections -> max-connections."""
    return name.replace("_", "-")


USAGE_WIDTH = 220
"""Columns of --help: each option on one line, which a terminal may wrap and grep may find."""


class ServiceOptions(usage.Options):
    """A service's twistd options: --config, and one for each of its settings.

    A subclass names its `settings_type`; after parsing, `settings` holds what was resolved.
    """

    settings_type: ClassVar[type]
    optParameters: ClassVar[Sequence[Sequence[Any]]]
    settings: Any

    def __init_subclass__(cls) -> None:
        # usage.Options gathers parameters from the classes, before an instance could add any
        cls.optParameters = [
            ["config", "c", None, "conf file to read first"],
            *(
                [option_name(name), None, None, f"{how.help} [default: {_default_text(default)}]"]
                for name, (how, default) in described(cls.settings_type).items()
            ),
        ]

    def again(self) -> list[str]:
        """The options as they were given, for another process that is to have the same settings."""
        names = [option_name(name) for name in described(self.settings_type)]
        given = [f"--{name}={self[name]}" for name in names if self[name] is not None]
        return [f"--config={os.path.abspath(self['config'])}", *given] if self["config"] else given

    def getUsage(self, width: int | None = None) -> str:
        return super().getUsage(width or USAGE_WIDTH)

    def postOptions(self) -> None:
        names = described(self.settings_type)
        given = {name: self[option_name(name)] for name in names}
        try:
            self.settings = resolve(self.settings_type, conf=self["config"], environ=os.environ, options=given)
        except SettingsError as error:
            raise usage.UsageError(str(error)) from None
