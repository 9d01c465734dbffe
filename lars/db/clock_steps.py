"""Finds when a clock was set, by reading it from afar: pure."""


class ClockSteps:
    """Compares reads of a clock with a monotonic one.

    A read that is asked at `asked`, answered at `answered` and says `then` bounds the offset between both clocks by
    then - answered and then - asked. What lies between is the slowness of the answer, and no step; a clock that runs
    a little faster or slower (NTP slews by 0.5 ms a second at most) moves the offset along.
    """

    def __init__(self) -> None:
        self._offset: float | None = None

    def observe(self, then: float, asked: float, answered: float) -> float:
        """Seconds by which the clock was set forward since the last read, at least; negative: set back.

        Args:
            then: what the clock said, in seconds.
            asked, answered: the monotonic clock before and after, in seconds.
        """
        least, most = then - answered, then - asked
        before = (least + most) / 2 if self._offset is None else self._offset
        self._offset = min(max(before, least), most)
        return self._offset - before
