"""One shard of the agent as a client sees it: where it is, whether it answers, and what it understands."""

from lars.client.address import AgentAddress

PLAIN = 60.0
"""Seconds for which an agent that tells no route states is not asked for any (docs/design/client.md, the cache)."""

RETRY = 1.0
"""Seconds between two tries to reach a shard that does not answer."""


class AgentShard:
    """Times are in seconds, monotonic.

    `alive` is False from the first question that it left unanswered until the next that it answers.
    """

    __slots__ = ("alive", "number", "peer", "plain_until", "retry_at")

    def __init__(self, peer: AgentAddress, number: int) -> None:
        self.peer = peer
        self.number = number
        self.alive = True
        self.plain_until = 0.0
        self.retry_at = 0.0

    def knows_no_state(self, now: float) -> None:
        """It has answered get_host and told no route state: a C++ agent, say."""
        self.plain_until = now + PLAIN

    def due(self, now: float) -> bool:
        """Whether it is to be tried again; then the next try is RETRY later."""
        if now < self.retry_at:
            return False
        self.retry_at = now + RETRY
        return True
