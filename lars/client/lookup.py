"""The agent's name is looked up again when the agent does not answer: a container made anew has another address."""

import threading
from collections.abc import Callable, Sequence

from lars.client.address import AgentAddress, NamedAddress, parse_agent
from lars.client.shard_state import ShardState
from lars.errors import SettingsError

PAUSE = 5.0
"""Seconds from the begin of a lookup to the next one at the earliest."""


def _in_thread(lookup: Callable[[], None]) -> None:
    threading.Thread(target=lookup, name="lars-lookup", daemon=True).start()


class Lookup:
    """Moves the shards of one client, and their open sockets, to the address that the agent's name has now.

    Args:
        name: the agent's place as the program gave it, such as "agent:8888".
        shards: the client's.
        resolve: as parse_agent.
        start: runs a function that may wait for a name server.
    """

    def __init__(
        self,
        name: str,
        shards: Sequence[ShardState],
        resolve: Callable[[str], AgentAddress] = parse_agent,
        start: Callable[[Callable[[], None]], None] = _in_thread,
    ) -> None:
        self._name = name
        self._shards = shards
        self._resolve = resolve
        self._start = start
        self._next = 0.0

    def unanswered(self, now: float) -> None:
        """A query had no answer: looks the name up, unless that was done less than PAUSE seconds before."""
        if now >= self._next:
            self._next = now + PAUSE
            self._start(self._look_up)

    def _look_up(self) -> None:
        try:
            found = self._resolve(self._name)
        except SettingsError:  # a name server that is away, for example: the next failure tries again
            return
        for shard in self._shards:
            peer = shard.peer
            if isinstance(peer, NamedAddress) and peer.ip != found.ip:
                shard.peer = peer = peer.at(found.ip)
            if isinstance(peer, NamedAddress):
                peer.reconnect()


def lookup_of(agent: AgentAddress, shards: Sequence[ShardState]) -> Lookup | None:
    """The lookup of an agent that was given by a name, or None."""
    return Lookup(agent.name, shards) if isinstance(agent, NamedAddress) else None
