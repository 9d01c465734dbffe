"""The settings of a service as Markdown, from its settings dataclass: what `twistd SERVICE --help` reads too.

Knows nothing of Sphinx, so that a unit test can hold it against the options.
"""

import inspect
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from lars.settings import described
from lars.settings.fields import Setting
from lars.settings.sources import option_name


def markdown(settings_type: type) -> list[str]:
    """The lines of a definition list: one entry for each setting, in the order of the dataclass."""
    types = {field.name: _type_name(field.type) for field in fields(settings_type)}
    lines: list[str] = []
    for name, (how, default) in described(settings_type).items():
        lines += _entry(name, how, default, types[name])
    return lines


def default_text(default: object) -> str:
    """A default as a conf file and --help have it; empty for an empty one."""
    return ",".join(map(str, default)) if isinstance(default, tuple) and type(default) is tuple else str(default)


def _entry(name: str, how: Setting, default: object, type_name: str) -> list[str]:
    text = default_text(default)
    facts = [
        f"[{how.section}] `{how.key or name}`",
        f"`--{option_name(name)}`",
        *([f"environment `{how.environ}`"] if how.environ else []),
        f"{type_name}{_range(how)}",
        f"default `{text}`" if text else "default: empty",
    ]
    legacy = [
        f"[{spelling.keys[0][0]}] {', '.join(f'`{key}`' for _section, key in spelling.keys)}" for spelling in how.legacy
    ]
    also = f" C++ conf files: {'; '.join(legacy)}." if legacy else ""
    return [f"`{how.key or name}`", f": {_escaped(how.help)}.{also}\\", f"  {' · '.join(facts)}", ""]


def _range(how: Setting) -> str:
    """The range that the parser accepts, where it is one."""
    closure: Mapping[str, Any] = inspect.getclosurevars(how.parse).nonlocals if inspect.isfunction(how.parse) else {}
    if {"low", "high"} <= closure.keys():
        return f", {closure['low']:,} to {closure['high']:,}"
    ranges = {"seconds": ", seconds, 0.01 to 31,536,000", "ratio": ", 0 to 1"}
    return ranges.get(how.parse.__name__, "")


def _type_name(annotation: object) -> str:
    """What a person writes: "int", "float", "str", or the name of the value that the text stands for."""
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    if arguments:
        return f"list of {_type_name(arguments[0])}"
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _escaped(text: str) -> str:
    return text.rstrip(".").replace("<", "&lt;").replace("*", "\\*")
