"""The reports of one run of one agent, from their arrival to their commit: in order, each once. Pure.

See docs/design/reporter.md, counted once.
"""

from lars.db.report_rows import Group, Run


class AgentRun:
    """One (caller, boot) while it is connected or something of it waits.

    Reports that wait are added up into one group, so that memory is bounded by distinct keys. Until the cursor in the
    database is known they stay apart: some may be counted already, by a reporter that died before it could say so.

    Attributes:
        cursor: the last seq that is known to be committed, or None before the first commit.
        taken: the last seq that waits or is committed.
        waiting: groups that are not yet being written.
        rows: keys that wait or are being written.
        connected: whether an agent may send more of it.
    """

    __slots__ = ("boot", "caller", "connected", "cursor", "rows", "taken", "waiting")

    def __init__(self, caller: int, boot: int, cursor: int | None = None) -> None:
        self.caller = caller
        self.boot = boot
        self.cursor = cursor
        self.taken = cursor or 0
        self.waiting: list[Group] = []
        self.rows = 0
        self.connected = True

    @property
    def key(self) -> Run:
        return self.caller, self.boot

    @property
    def committed(self) -> int:
        """What may be acknowledged."""
        return self.cursor or 0

    def group_for(self, seq: int) -> Group | None:
        """Where the results of a report belong, or None if it is here already and must not be counted again."""
        if seq <= self.taken:
            return None
        self.taken = seq
        if self.waiting and self.cursor is not None:
            group = self.waiting[-1]
            group.last = seq
        else:
            group = Group(self.caller, self.boot, seq, seq)
            self.waiting.append(group)
        return group

    def take_waiting(self) -> list[Group]:
        """What is to be written now; what comes from here on waits for the next time."""
        groups, self.waiting = self.waiting, []
        return groups

    def commit(self, cursor: int, rows: int) -> None:
        """What was being written, so many rows, is in the database, up to this seq."""
        self.cursor = cursor
        self.taken = max(self.taken, cursor)
        self.rows -= rows

    def start_over(self, cursor: int) -> int:
        """Another reporter has committed up to this seq: drops what waits here, which its agent still has, and will
        send again from there; how many rows that were."""
        self.cursor = self.taken = cursor
        self.waiting.clear()
        dropped, self.rows = self.rows, 0
        return dropped
