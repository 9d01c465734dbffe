"""A UDP socket to one shard of the agent, for one question and its answer at a time."""

import random
import select
import time
from typing import TypeVar

from lars.client.address import AgentAddress
from lars.client.questions import Question
from lars.client.teller import connected
from lars.errors import LarsError

T = TypeVar("T")


class Link:
    """A socket to one shard, used by one thread at a time. `wait` is half a question's time, in seconds."""

    __slots__ = ("_readable", "_seq", "_socket", "_wait", "_wait_ms")

    def __init__(self, peer: AgentAddress, wait: float) -> None:
        self._wait = wait
        self._wait_ms = wait * 1000
        self._seq = random.randrange(1 << 28, 1 << 31)  # an old socket's answers may still come to its reused port
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
        try:
            self.send(question)
            if self._readable.poll(self._wait_ms):
                answer = question.answer(self._socket.recv(question.most))
                if answer is not None:
                    return answer
        except (ConnectionRefusedError, BlockingIOError):
            pass  # what became of an earlier datagram, maybe, and so worth the second try; or a checksum was wrong
        else:
            answer = self._answer(question, deadline - self._wait)
            if answer is not None:
                return answer
        self.send(question)
        return self._answer(question, deadline)

    def _answer(self, question: Question[T], until: float) -> T | None:
        """The answer, or None if none has come by then; whatever else comes is passed over."""
        while (left := until - time.monotonic()) > 0 and self._readable.poll(left * 1000):
            try:
                answer = question.answer(self._socket.recv(question.most))
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
            while question.answer(self._socket.recv(question.most)) is None:
                pass
        except OSError:
            return False
        except LarsError:  # it says no, and so it is there
            return True
        return True

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
