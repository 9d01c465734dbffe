"""Ranges of modules to which a user or a token is limited: "1", "1-99", "1.1", "2.*", by commas."""

import re
from dataclasses import dataclass

from lars.errors import LarsError
from lars.route import MAX_ID, ModuleId

MAX_TEXT = 500
"""Characters of the text of ranges."""

_ITEM = re.compile(r"(\d{1,10})(?:-(\d{1,10})|\.(\d{1,10}|\*))?", re.ASCII)


class BadRanges(LarsError):
    """A text is no list of ranges; the error says what one looks like."""


@dataclass(frozen=True, slots=True, order=True)
class ModuleRange:
    """The modules whose modid is from `first` to `last`, and whose cmdid is `cmdid` unless that is None."""

    first: int
    last: int
    cmdid: int | None = None

    def __str__(self) -> str:
        modids = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return modids if self.cmdid is None else f"{modids}.{self.cmdid}"


@dataclass(frozen=True, slots=True)
class ModuleRanges:
    """Some modules, or every module if there are no ranges (docs/design/web.md, ranges)."""

    ranges: tuple[ModuleRange, ...] = ()

    def __contains__(self, module: ModuleId) -> bool:
        return not self.ranges or any(
            r.first <= module.modid <= r.last and r.cmdid in (None, module.cmdid) for r in self.ranges
        )

    def has_modid(self, modid: int) -> bool:
        """Whether every module of a modid is in the ranges, of which its name says something."""
        return not self.ranges or any(r.first <= modid <= r.last and r.cmdid is None for r in self.ranges)

    @property
    def is_everything(self) -> bool:
        """Whether every module is in them."""
        return not self.ranges

    def __str__(self) -> str:
        return ", ".join(map(str, self.ranges))


EVERYTHING = ModuleRanges()
"""Every module."""

NOTHING = ModuleRanges((ModuleRange(1, 0),))
"""No module."""


def module_ranges(text: str) -> ModuleRanges:
    """The ranges of a text; empty: every module. Raises BadRanges."""
    if len(text) > MAX_TEXT:
        raise BadRanges(f"ranges of modules have at most {MAX_TEXT} characters")
    items = re.split(r"[\s,]+", text.strip()) if text.strip() else []
    return ModuleRanges(tuple(_range(item) for item in items if item))


def stored_ranges(text: str) -> ModuleRanges:
    """The ranges of a row of the database; no module if SQL has written what is no list of ranges."""
    try:
        return module_ranges(text)
    except BadRanges:
        return NOTHING


def _range(item: str) -> ModuleRange:
    match = _ITEM.fullmatch(item)
    if match is not None:
        first, last, cmdid = match.groups()
        found = ModuleRange(int(first), int(last or first), int(cmdid) if cmdid not in (None, "*") else None)
        if found.first <= found.last <= MAX_ID and (found.cmdid or 0) <= MAX_ID:
            return found
    raise BadRanges(f"{item[:60]!r} is no range of modules: write 1 or 1-99 (modids), 1.1 (a module) or 2.*")
