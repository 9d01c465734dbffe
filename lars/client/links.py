"""A process's sockets to ask one shard of the agent: one for each question that a thread waits with at once."""

import threading
import time
from collections import deque
from collections.abc import Sequence

from lars.client.link import Link
from lars.client.questions import HostQuestion
from lars.client.shard import AgentShard
from lars.client.teller import AgentTeller, Closed

LINKS = 64
"""Questions at once, at most: a thread with one more waits for a socket, no longer than its timeout."""


class ShardLinks:
    """Shared by all threads. `wait` is half a question's time, in seconds."""

    def __init__(self, shard: AgentShard, wait: float) -> None:
        self._shard = shard
        self._wait = wait
        self._closed = False
        self._begin()

    def _begin(self) -> None:
        self._free: deque[Link] = deque()
        self._made = 0
        self._waiting = 0
        self._changed = threading.Condition()
        self._probe: tuple[Link, HostQuestion] | None = None

    def take(self, deadline: float) -> Link | None:
        """A link for one question, to be given back; None if none was free by the deadline. Raises OSError."""
        try:
            return self._free.pop()  # the one used last
        except IndexError:
            return self._take_later(deadline)

    def _take_later(self, deadline: float) -> Link | None:
        with self._changed:
            if self._made < LINKS:
                link = self.new()
                self._made += 1
                return link
            self._waiting += 1
            try:
                while True:
                    try:
                        return self._free.pop()
                    except IndexError:  # or another thread was faster
                        if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                            return None
            finally:
                self._waiting -= 1

    def give_back(self, link: Link) -> None:
        """Ends a question."""
        self._free.append(link)
        if self._waiting:
            with self._changed:
                self._changed.notify()
        if self._closed:
            self._close_links()

    def new(self) -> Link:
        """A link that is nobody else's, to be closed; raises OSError, Closed after `close`."""
        if self._closed:
            raise Closed
        return Link(self._shard.peer, self._wait)

    def probe(self, question: HostQuestion) -> None:
        """Sends a question whose answer `probed` looks for; nobody waits for it. Raises OSError."""
        link = self.new()
        self._probe, old = (link, question), self._probe
        if old is not None:
            old[0].close()
        link.send(question)

    def probed(self) -> bool:
        """Whether the last probe was answered."""
        probe = self._probe
        if probe is None or not probe[0].look(probe[1]):
            return False
        self._probe = None
        probe[0].close()
        return True

    def forked(self) -> None:
        """In the child of a fork: the parent's sockets bring answers to either process."""
        self._close_links()
        self._begin()

    def close(self) -> None:
        """Closes the links; one that a question is under way on is closed when it is given back."""
        self._closed = True
        self._close_links()

    def _close_links(self) -> None:
        while self._free:
            try:
                self._free.pop().close()
            except IndexError:  # another thread closes them as well
                break
        if self._probe is not None:
            self._probe[0].close()

    def __del__(self) -> None:
        self._close_links()


class AgentLinks:
    """The sockets of a blocking client."""

    def __init__(self, shards: Sequence[AgentShard], wait: float) -> None:
        self._teller = AgentTeller(shards)
        self._links = [ShardLinks(shard, wait) for shard in shards]
        self.tell = self._teller.tell

    def __getitem__(self, shard: AgentShard) -> ShardLinks:
        return self._links[shard.number]

    def forked(self) -> None:
        """In the child of a fork: starts with sockets of its own."""
        self._teller.forked()
        for links in self._links:
            links.forked()

    def close(self) -> None:
        """Closes all sockets."""
        self._teller.close()
        for links in self._links:
            links.close()
