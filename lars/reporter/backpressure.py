"""Which peers to stop reading from while memory is short: those that hold most of it, first. Pure.

See docs/design/reporter.md, backpressure.

A peer may hold as much as is still free: the dynamic threshold of Choudhury and Hahne ("Dynamic queue length thresholds
for shared-memory packet switches", 1998). A single busy peer gets at most half; the fuller the memory, the smaller the
peers that are paused as well; when it is full, all are.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Backpressure:
    """How many rows are pending, and how many may be.

    Attributes:
        limit: rows that may be pending, more than 0.
        rows: rows that are pending; may pass the limit by one report of each peer.
    """

    limit: int
    rows: int = 0

    @property
    def is_full(self) -> bool:
        """Whether every peer must pause."""
        return self.rows >= self.limit

    def must_pause(self, held: int) -> bool:
        """Whether a peer that holds so many rows must pause."""
        return held >= self.limit - self.rows

    def may_resume(self, held: int) -> bool:
        """Whether a paused peer may resume: at 80 % of the threshold, so that peers do not flap."""
        return held < (self.limit - self.rows) * 0.8
