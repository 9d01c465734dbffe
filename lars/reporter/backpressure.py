"""Whom to stop reading from while memory is short: those that hold most of it, first. Pure.

See docs/design/reporter.md, backpressure.

A peer may hold as much as is still free: the dynamic threshold of Choudhury and Hahne ("Dynamic queue length thresholds
for shared-memory packet switches", 1998). One busy peer alone gets up to a half; the fuller the memory, the smaller are
those that have to wait as well; when it is full, all do.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Backpressure:
    """How many rows wait in all, and how many may."""

    most: int
    rows: int = 0

    @property
    def is_full(self) -> bool:
        return self.rows >= self.most

    def must_wait(self, held: int) -> bool:
        """Whether a peer that holds so many rows has to wait before it may send more."""
        return held >= self.most - self.rows

    def may_resume(self, held: int) -> bool:
        """Whether a peer that waits may send again: a little later than it had to stop, so as not to flutter."""
        return held < (self.most - self.rows) * 0.8
