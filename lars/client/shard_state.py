"""What a client knows of one shard of the agent: its address, whether it answers, which requests it supports."""

from lars.client.address import AgentAddress

UNSUPPORTED_TTL = 60.0
"""Seconds until an agent that ignored a request for route states gets another (docs/design/client.md, the cache)."""

RETRY = 1.0
"""Seconds between two attempts to reach a shard that does not answer."""


class ShardState:
    """One shard; times are in seconds, monotonic.

    Attributes:
        peer: the shard's address.
        number: 0 to SHARDS - 1.
        alive: False from the first unanswered query until the next answer.
        state_dir: the folder where the agent says that it saves routes; empty if it has not.
        states_unsupported_until: when the client may ask for route states again.
        retry_at: when the client may ask a shard that is not alive again.
    """

    __slots__ = ("alive", "number", "peer", "retry_at", "state_dir", "states_unsupported_until")

    def __init__(self, peer: AgentAddress, number: int) -> None:
        self.peer = peer
        self.number = number
        self.alive = True
        self.states_unsupported_until = 0.0
        self.state_dir = ""
        self.retry_at = 0.0

    def states_unsupported(self, now: float) -> None:
        """The shard answered get_host but not the request for the route state: a C++ agent, for example."""
        self.states_unsupported_until = now + UNSUPPORTED_TTL

    def due(self, now: float) -> bool:
        """Whether it is time for another attempt; if so, the one after that is due RETRY seconds later."""
        if now < self.retry_at:
            return False
        self.retry_at = now + RETRY
        return True
