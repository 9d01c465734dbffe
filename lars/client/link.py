"""A thread's UDP sockets to the agent's shards: one question and its answer at a time."""

import random
import socket
import time
from typing import TypeVar

from lars.client.address import AgentAddress
from lars.client.exchange import MAX_DATAGRAM, Question

T = TypeVar("T")


class Link:
    """A thread's socket to one shard."""

    __slots__ = ("peer", "seq", "socket", "wait")

    def __init__(self, peer: AgentAddress, wait: float) -> None:
        self.peer = peer
        self.wait = wait
        self.seq = random.getrandbits(32)  # an old socket's answers may still come to its reused port
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        try:
            self.socket.connect(peer)
        except OSError:
            self.socket.close()
            raise
        self.socket.settimeout(wait)

    def ask(self, question: Question[T], until: float) -> T | None:
        """Sends the question and waits for its answer; None if none came before `until` (monotonic seconds)."""
        self.socket.send(question.request)
        try:
            answer = question.answer(self.socket.recv(MAX_DATAGRAM))
            return self._answer_after(question, until) if answer is None else answer
        except TimeoutError:
            return None

    def _answer_after(self, question: Question[T], until: float) -> T | None:
        """Reads on after a datagram that was no answer."""
        answer: T | None = None
        try:
            while answer is None and (left := until - time.monotonic()) > 0:
                self.socket.settimeout(left)
                answer = question.answer(self.socket.recv(MAX_DATAGRAM))
        finally:
            self.socket.settimeout(self.wait)
        return answer

    def drain(self) -> None:
        """Forgets what has come unasked."""
        self.socket.settimeout(0)  # not MSG_DONTWAIT: Python waits for a socket that has a timeout all the same
        try:
            while True:
                self.socket.recv(MAX_DATAGRAM)
        except (BlockingIOError, ConnectionRefusedError):
            self.socket.settimeout(self.wait)


class Links:
    """A thread's links, by port; they are closed when the thread ends, or the client."""

    def __init__(self) -> None:
        self.by_port: dict[int, Link] = {}

    def close(self) -> None:
        for link in tuple(self.by_port.values()):
            link.socket.close()

    __del__ = close
