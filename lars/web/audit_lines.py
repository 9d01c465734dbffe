"""The lines of an edit as the audit shows them: what is gone and what has come. Pure."""

import json
import re
from collections.abc import Callable, Iterable

from lars.db.audit import Edit
from lars.module_settings import from_json

_UNTIL = re.compile(r'"(?:[^"\\]|\\.)*"|drained_until=(\d+)')
"""A quoted text, which stays as it is, or the end of a drain."""


def changed_lines(edit: Edit, moment: Callable[[float], str]) -> tuple[list[str], list[str]]:
    """The lines before and after an edit that differ; `moment` writes Unix seconds.

    Each setting of a module has a line of its own, so that only those show that are changed.
    """
    before, after = ([line for text in side for line in _shown(text, moment)] for side in edit.lines)
    return [line for line in before if line not in after], [line for line in after if line not in before]


def _shown(line: str, moment: Callable[[float], str]) -> Iterable[str]:
    name, _blank, rest = line.partition(" ")
    if name == "settings":
        settings, _unusable = from_json(rest)
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
        return [f"{name} = {text}" for name, text in texts.items()] or [line]
    return [_UNTIL.sub(lambda found: f"drained_until={moment(float(found[1]))}" if found[1] else found[0], line)]
