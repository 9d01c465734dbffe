"""Which calls an agent times by itself where callers report no time (docs/design/agent.md, timing calls)."""

from lars.agent.module import TIMED_EVERY


class AgentTimer:
    """Times the calls of one simulated agent, one of each host at a time."""

    def __init__(self) -> None:
        self._busy_until: dict[int, float] = {}
        self._next = 0.0

    def known_cost(self, host: int, hosts: int, now: float, cost: float) -> float:
        """What the agent knows of the cost of a call to one of some hosts: all, or 0 if the call is not timed."""
        if now < self._next or now < self._busy_until.get(host, 0.0):
            return 0.0
        self._busy_until[host] = now + cost
        self._next = now + TIMED_EVERY / hosts
        return cost
