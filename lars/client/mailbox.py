"""One shard's socket in an event loop: many questions under way at once, matched to their answers by seq.

Knows neither asyncio nor Twisted: an EventLoop says when the socket can be read and when time has passed.
"""

import random
from collections.abc import Callable
from typing import Any, Protocol

from lars.client.address import AgentAddress
from lars.client.questions import MAX_DATAGRAM, SEQ_BITS, Question, seq_of
from lars.client.teller import connected
from lars.errors import LarsError

TURN = 64
"""Datagrams read in one turn of the loop, so that what waits for them gets its turn."""

Deliver = Callable[[Any, Exception | None], None]
"""Is given the answer; or None and what the agent said no with, or None and the system's error, if there was one."""


class Timer(Protocol):
    """A call to be made later."""

    def cancel(self) -> object:
        """Called at most once, and only before its time."""


class EventLoop(Protocol):
    """What a mailbox needs of asyncio or Twisted."""

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        """Calls the function once, after that time."""

    def add_reader(self, mailbox: "Mailbox") -> None:
        """Calls the mailbox's `read` whenever its `fileno` can be read."""

    def remove_reader(self, mailbox: "Mailbox") -> None:
        """Ends that."""


class Pending:
    """A question under way."""

    __slots__ = ("deliver", "question", "resent", "timer")

    def __init__(self, question: Question[Any], deliver: Deliver) -> None:
        self.question = question
        self.deliver = deliver
        self.resent = False
        self.timer: Timer | None = None


class Mailbox:
    """`wait` is half a question's time, in seconds; `key_of` tells which question a datagram may answer."""

    def __init__(
        self,
        peer: AgentAddress,
        wait: float,
        loop: EventLoop,
        key_of: Callable[[bytes], int | None] = seq_of,
    ) -> None:
        self._wait = wait
        self._loop = loop
        self._key_of = key_of
        self._seq = random.randrange(1 << 28, 1 << 31)
        self._pending: dict[int, Pending] = {}
        self._socket = connected(peer)
        loop.add_reader(self)

    def fileno(self) -> int:
        """The socket's, for the loop."""
        return self._socket.fileno()

    def next_seq(self) -> int:
        """The seq of the next question."""
        self._seq = (self._seq + 1) & SEQ_BITS
        return self._seq

    def ask(self, key: int, question: Question[Any], deliver: Deliver) -> None:
        """Asks, half-way once more. `deliver` is called once, unless the question is forgotten or the box closed."""
        pending = self._pending[key] = Pending(question, deliver)
        pending.timer = self._loop.call_later(self._wait, lambda: self._late(key))
        self._send(pending)

    def forget(self, key: int) -> None:
        """Nobody waits for the answer any more."""
        pending = self._pending.pop(key, None)
        if pending is not None and pending.timer is not None:
            pending.timer.cancel()

    def _send(self, pending: Pending) -> None:
        for datagram in pending.question.datagrams:
            try:
                try:
                    self._socket.send(datagram)
                except ConnectionRefusedError:  # what became of an earlier datagram; this one was not sent
                    self._socket.send(datagram)
            except OSError:
                continue  # no room, say: as good as lost on the way

    def _late(self, key: int) -> None:
        pending = self._pending[key]
        if pending.resent:
            pending.timer = None
            self._end(key, None, None)
        else:
            pending.resent = True
            pending.timer = self._loop.call_later(self._wait, lambda: self._late(key))
            self._send(pending)

    def _end(self, key: int, answer: Any, error: Exception | None) -> None:
        deliver = self._pending[key].deliver
        self.forget(key)
        deliver(answer, error)

    def read(self) -> None:
        """Takes what has come."""
        receive = self._socket.recv
        try:
            for _ in range(TURN):
                self._take(receive(MAX_DATAGRAM))
        except BlockingIOError:
            return
        except OSError as error:
            self._refused(error)

    def _take(self, datagram: bytes) -> None:
        key = self._key_of(datagram)
        pending = self._pending.get(key) if key is not None else None
        if pending is None or key is None:
            return  # late, or nobody's
        try:
            answer = pending.question.answer(datagram)
        except LarsError as refusal:
            self._end(key, None, refusal)
            return
        if answer is not None:
            self._end(key, answer, None)

    def _refused(self, error: OSError) -> None:
        """What was asked has not arrived: asks once more, in case that was told of an earlier datagram."""
        for key, pending in tuple(self._pending.items()):
            if pending.resent:
                self._end(key, None, error)
            else:
                pending.resent = True
                self._send(pending)

    def close(self) -> None:
        """Closes the socket; what is under way ends as unanswered."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self)
            self._socket.close()
        for key in tuple(self._pending):
            if key in self._pending:
                self._end(key, None, None)

    def drop(self) -> None:
        """In the child of a fork: lets go of the socket; the loop, whose epoll is the parent's, is left alone."""
        self._socket.close()

    def __del__(self) -> None:
        sock = getattr(self, "_socket", None)
        if sock is not None:
            sock.close()
