"""The reports of one run of one agent, from their arrival to their commit: in order, each once. Pure.

See docs/design/reporter.md, counted once.
"""

from lars.db.report_rows import Group, Run, Seen
from lars.reporter.agent_clock import AgentClock


class AgentRun:
    """One (caller, boot), kept while it is connected or has pending reports.

    Pending reports are added up in one group, so that memory is bounded by the number of distinct keys. Until the
    cursor in the database is known they stay apart: some may have been committed by a reporter that crashed before it
    could acknowledge them.

    Attributes:
        caller: the agent's IPv4 address as a number.
        boot: the number that the agent chose at its start; not 0.
        cursor: the last seq that is known to be committed, or None before the first commit.
        taken: the last seq that is pending or committed.
        pending: groups that are not being written yet.
        seen: what it has said of hosts and of itself that is not being written yet; None if nothing.
        rows: keys that are pending or being written.
        connected: whether an agent may send more reports of this run.
        clock: the agent's clock.
        skew: by how many seconds that is ahead; negative if it is behind.
    """

    __slots__ = ("boot", "caller", "clock", "connected", "cursor", "pending", "rows", "seen", "skew", "taken")

    def __init__(self, caller: int, boot: int, cursor: int | None = None) -> None:
        self.caller = caller
        self.boot = boot
        self.cursor = cursor
        self.taken = cursor or 0
        self.pending: list[Group] = []
        self.seen: Seen | None = None
        self.rows = 0
        self.connected = True
        self.clock = AgentClock()
        self.skew = 0

    @property
    def key(self) -> Run:
        """(caller, boot)."""
        return self.caller, self.boot

    @property
    def committed(self) -> int:
        """The last seq that may be acknowledged; 0 if there is none."""
        return self.cursor or 0

    def group_for(self, seq: int) -> Group | None:
        """The group to which a report's results are added, or None if the report is a repeat and must not count."""
        if seq <= self.taken:
            return None
        self.taken = seq
        if self.pending and self.cursor is not None:
            group = self.pending[-1]
            group.last = seq
        else:
            group = Group(self.caller, self.boot, seq, seq)
            self.pending.append(group)
        return group

    def take_pending(self) -> list[Group]:
        """The groups to be written now; reports that arrive later start a new one."""
        groups, self.pending = self.pending, []
        return groups

    def take_seen(self) -> list[Seen]:
        """What it has said of hosts and is to be written now; none or one."""
        seen, self.seen = self.seen, None
        return [seen] if seen is not None else []

    def commit(self, cursor: int, rows: int) -> None:
        """Records that the groups taken are committed: the last seq, and how many rows they had."""
        self.cursor = cursor
        self.taken = max(self.taken, cursor)
        self.rows -= rows

    def start_over(self, cursor: int) -> int:
        """Drops all rows, and returns how many, because another reporter has committed up to this seq.

        The agent still has these reports and sends them again from there.
        """
        self.cursor = self.taken = cursor
        self.pending.clear()
        self.seen = None
        dropped, self.rows = self.rows, 0
        return dropped
