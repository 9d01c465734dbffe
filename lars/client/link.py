"""A UDP socket to one shard of the agent, for one question and its answer at a time."""

import random
import select
import time
from typing import TypeVar

from lars.client.address import AgentAddress
from lars.client.questions import MAX_DATAGRAM, Question
from lars.client.teller import connected
from lars.errors import LarsError

T = TypeVar("T")


class Link:
    """A socket to one shard, used by one thread at a time. `wait` is half a question's time, in seconds."""

    __slots__ = ("_readable", "_seq", "_socket", "_wait")

    def __init__(self, peer: AgentAddress, wait: float) -> None:
        self._wait = wait
        self._seq = random.getrandbits(32)  # an old socket's answers may still come to its reused port
        self._socket = connected(peer)
        self._readable = select.poll()  # a Python socket with a timeout would poll before it sends, too
        self._readable.register(self._socket, select.POLLIN)

    def next_seq(self) -> int:
        """The seq of the next question."""
        self._seq += 1
        return self._seq

    def ask(self, question: Question[T], deadline: float) -> T | None:
        """Asks, half-way once more; None if no answer has come by the deadline (monotonic seconds).

        Raises OSError if the question cannot be sent or was refused both times, and what the answer raises.
        """
        refused: OSError | None = None
        for until in (deadline - self._wait, deadline):
            try:
                self.send(question)
                answer = self._answer(question, until)
            except ConnectionRefusedError as error:  # maybe of an earlier datagram, and so worth the second try
                refused = error
                continue
            if answer is not None:
                return answer
            refused = None
        if refused is not None:
            raise refused
        return None

    def _answer(self, question: Question[T], until: float) -> T | None:
        """The answer, or None if none has come by then; whatever else comes is passed over."""
        while (left := until - time.monotonic()) > 0 and self._readable.poll(left * 1000):
            try:
                answer = question.answer(self._socket.recv(MAX_DATAGRAM))
            except BlockingIOError:  # its checksum was wrong
                continue
            if answer is not None:
                return answer
        return None

    def send(self, question: Question[T]) -> None:
        """Sends the question's datagrams; raises OSError."""
        for datagram in question.datagrams:
            self._socket.send(datagram)

    def look(self, question: Question[T]) -> bool:
        """Whether an answer to a question sent before has come; waits for nothing."""
        try:
            while question.answer(self._socket.recv(MAX_DATAGRAM)) is None:
                pass
        except OSError:
            return False
        except LarsError:  # it says no, and so it is there
            return True
        return True

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
