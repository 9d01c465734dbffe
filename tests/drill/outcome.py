"""What a drill found: figures, and what should not have been."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Outcome:
    """The result of one run.

    Attributes:
        figures: what was measured, by name.
        violations: what should not have been; none in a good run.
    """

    figures: dict[str, Any] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def require(self, holds: bool, violation: str) -> None:
        """Notes a violation unless it holds."""
        if not holds:
            self.violations.append(violation)
