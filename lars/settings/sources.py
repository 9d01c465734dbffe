"""Where a setting comes from: its default, the conf file, the environment, the command line; the last one wins.

See docs/design/settings.md, sources.
"""

import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lars.errors import LarsError, SettingsError
from lars.settings.conf_file import Key, read_conf
from lars.settings.fields import Legacy, Sections, Setting, described, field_of_names_given, made_of_sections

T = TypeVar("T")

IGNORED: frozenset[Key] = frozenset({("reactor", "threadNum")})
"""Keys of the C++ conf files that are accepted and have no effect here."""


def resolve(
    settings_type: type[T],
    *,
    conf: str | None = None,
    environ: Mapping[str, str] | None = None,
    options: Mapping[str, str | None] | None = None,
) -> T:
    """The settings of one service, each from the last source that sets it.

    Args:
        settings_type: a frozen dataclass whose fields are made by `setting`.
        conf: path of the conf file, or None.
        environ: the environment, or None to ignore it.
        options: texts from the command line by field name; None where an option was not given.

    Raises SettingsError for the first value that cannot be used and for a conf key that no setting has.
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
    if name_of_names := field_of_names_given(settings_type):
        values[name_of_names] = frozenset(values)
    for name, many in made_of_sections(settings_type).items():
        values[name], theirs = _of_sections(conf, many, in_file)
        known |= theirs
    _refuse_unknown(conf, in_file, known)
    try:
        return settings_type(**values)
    except SettingsError as error:
        raise SettingsError(f"{conf or 'settings'}: {error}") from None


def _of_sections(conf: str | None, many: Sections, in_file: Mapping[Key, str]) -> tuple[tuple[Any, ...], set[Key]]:
    """The values of the sections [prefix NAME], in the order of the file, and the keys in those sections."""
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


def option_name(name: str) -> str:
    """The command line's spelling of a setting: max_connections -> max-connections."""
    return name.replace("_", "-")
