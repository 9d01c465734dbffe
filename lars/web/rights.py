"""What somebody may edit: their role, and the modules to which they are limited; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from lars.errors import LarsError
from lars.module_ranges import ModuleRanges
from lars.route import ModuleId
from lars.web.roles import Role


class NotPermitted(LarsError):
    """The user or the token may not do this; the text says what it is limited to."""


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits (docs/design/web.md, ranges).

    `actor` is for the audit; `user` is the user or the token's user. A module must be in each of `ranges`: those of
    the user, and those of the token.
    """

    actor: str
    user: str
    role: Role
    ranges: tuple[ModuleRanges, ...]

    def may_edit(self, module: ModuleId) -> bool:
        """Whether a module is within the ranges; the role is another question."""
        return all(module in ranges for ranges in self.ranges)

    @property
    def is_limited(self) -> bool:
        """Whether there are modules that this editor may not edit."""
        return not all(ranges.is_everything for ranges in self.ranges)

    def check(self, modules: Iterable[ModuleId]) -> None:
        """Raises NotPermitted, naming the first of some modules that is out of range."""
        for module in modules:
            if not self.may_edit(module):
                raise NotPermitted(f"module {module} is not within {self._limits}: ask an admin")

    def check_modid(self, modid: int) -> None:
        """Raises NotPermitted unless all modules of a modid are within the ranges."""
        if not all(ranges.has_modid(modid) for ranges in self.ranges):
            raise NotPermitted(f"modid {modid} is not within {self._limits}: ask an admin")

    def check_everything(self, what: str) -> None:
        """Raises NotPermitted if the editor is limited, because `what` concerns all modules."""
        if self.is_limited:
            raise NotPermitted(f"{what} concerns all modules, and you may edit {self._limits}: ask an admin")

    @property
    def _limits(self) -> str:
        return "modules " + " within ".join(str(ranges) for ranges in self.ranges if not ranges.is_everything)
