"""Modules by the names that people gave them, as the arguments of a command. Pure.

See docs/design/command-line.md, arguments.
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches

from lars.db.names import Names
from lars.errors import LarsError
from lars.route import ModuleId

Word = int | str
"""An argument: a number, or a name."""

Found = tuple[int, int | None]
"""A modid and a cmdid; without a cmdid, all modules of the modid."""

JOINED = "."
"""Between the names of modid and cmdid in one word; in the place of the cmdid: the word before has both."""

_LISTED = 5
"""Modules that an error lists at most."""


class NoSuchName(LarsError):
    """No module, or more than one, has the name."""


def find_module(
    modid: Word,
    cmdid: Word | None,
    names: Names,
    existing: Callable[[Sequence[Found]], Sequence[Found]],
    needs_cmdid: bool,
) -> Found:
    """The module that two words name; of several that fit, the one that has hosts.

    Args:
        modid: a number, a name, or, with JOINED as the cmdid, both names with a dot between.
        cmdid: a number, a name, JOINED, or None.
        names: all names.
        existing: those of some modules that have hosts.
        needs_cmdid: whether a modid alone is not enough.

    Raises NoSuchName if none fits, or several do.
    """
    readings = _readings(modid, cmdid)
    found = _matching(readings, names)
    found = [one for one in found if one[1] is not None] or ([] if needs_cmdid else found)
    if len(found) > 1:
        found = list(existing(found)) or found
    if not found:
        raise NoSuchName(_missing(*readings[0], names))
    if len(found) > 1:
        listed = ", ".join(str(number) if of is None else str(ModuleId(number, of)) for number, of in found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise NoSuchName(f"{_text(modid, cmdid)!r} names {len(found)} modules: give the numbers: {listed}{more}")
    return found[0]


def _readings(modid: Word, cmdid: Word | None) -> list[tuple[Word, Word | None]]:
    """What two words may mean: a joined word can be split at each of its dots, or be the name of a modid."""
    if cmdid != JOINED:
        return [(modid, cmdid)]
    parts = str(modid).split(JOINED)
    return [*((JOINED.join(parts[:n]), JOINED.join(parts[n:])) for n in range(1, len(parts))), (modid, None)]


def _matching(readings: Iterable[tuple[Word, Word | None]], names: Names) -> list[Found]:
    found: set[Found] = set()
    for modid, cmdid in readings:
        cmdids: list[int | None] = [None] if cmdid is None else [*_numbers(cmdid, names.cmdids)]
        found |= {(number, of) for number in _numbers(modid, names.modids) for of in cmdids}
    return sorted(found, key=str)


def _numbers(word: Word, names: dict[int, str]) -> list[int]:
    """The numbers of a name; digits that are no name are a number."""
    if isinstance(word, int):
        return [word]
    named = [number for number, name in names.items() if name == word]
    return named or ([int(word)] if word.isascii() and word.isdigit() else [])


def _missing(modid: Word, cmdid: Word | None, names: Names) -> str:
    what, word, known = "modid", modid, names.modids
    if cmdid is not None and _numbers(modid, names.modids):
        what, word, known = "cmdid", cmdid, names.cmdids
    close = get_close_matches(str(word), known.values(), n=1)
    meant = f": did you mean {close[0]!r}?" if close else ": `lars find` searches the names"
    return f"no {what} is named {str(word)!r}{meant}"


def _text(modid: Word, cmdid: Word | None) -> str:
    return str(modid) if cmdid in (None, JOINED) else f"{modid} {cmdid}"
