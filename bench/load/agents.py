"""Many agents' connections to lars-dns in one epoll loop, which only stores what arrives and when.

All frames have one size (bench.load.routes), so answers are counted by bytes; they are decoded after the measurement.
"""

import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.services.dns_client import Answer, answers

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_READ = 256 * 1024
_LOT = 40
_RETRY = 0.02
"""Seconds after which a connection that was refused is tried again."""


class _Agent:
    """One agent: its connection, and what has arrived on it."""

    __slots__ = ("arrivals", "received", "requests", "sock", "unsent")

    def __init__(self, requests: bytes) -> None:
        self.requests = requests
        self.begin()

    def begin(self) -> None:
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)  # leaves no port in TIME_WAIT
        self.unsent = memoryview(self.requests)
        self.received = bytearray()
        self.arrivals: list[tuple[float, int]] = []  # when, and bytes in all by then

    @property
    def last_arrival(self) -> float:
        return self.arrivals[-1][0] if self.arrivals else 0.0


class Agents:
    """Connections to dns, each of which sends its requests as soon as it is made."""

    def __init__(self, port: int, requests: Sequence[bytes], frame_size: int) -> None:
        self._place = ("127.0.0.1", port)
        self._requests = requests
        self._frame_size = frame_size
        self._epoll = select.epoll()
        self._agents: dict[int, _Agent] = {}
        self._again: list[tuple[float, _Agent]] = []
        self.retries = 0
        """How often a connection was refused or reset, and made again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        self._epoll.close()

    def connect(self) -> None:
        """Begins to connect all of them at once."""
        for requests in self._requests:
            self._begin(_Agent(requests))

    def connect_in_turn(self, frames: int, deadline: float) -> None:
        """Connects some at a time, after those before them have got their frames, so no listen backlog overflows."""
        for start in range(0, len(self._requests), _LOT):
            for requests in self._requests[start : start + _LOT]:
                self._begin(_Agent(requests))
            self.await_frames(frames, deadline)

    def _begin(self, agent: _Agent) -> None:
        self._agents[agent.sock.fileno()] = agent
        agent.sock.connect_ex(self._place)  # the first send shows whether that worked
        self._epoll.register(agent.sock, select.EPOLLIN | select.EPOLLOUT)

    def hang_up(self) -> None:
        """Closes all of them."""
        for agent in self._agents.values():
            agent.sock.close()
        self._agents.clear()

    def await_frames(self, frames: int, deadline: float) -> list[float]:
        """Reads until each connection has got so many frames in all; when (monotonic) each got its last.

        Raises BenchError if that takes longer than the deadline, in seconds.
        """
        missing = self.read(frames, deadline)
        if missing:
            arrived = sum(len(agent.received) for agent in self._agents.values()) // self._frame_size
            raise BenchError(
                f"after {deadline:g} s {missing} of {len(self._requests)} connections lack frames: {arrived} have "
                f"arrived in all, {frames} each are expected"
            )
        return [agent.last_arrival for agent in self._agents.values()]

    def read(self, frames: int, deadline: float) -> int:
        """Reads until each connection has got so many frames in all, or time is up; how many have not."""
        target = frames * self._frame_size
        missing = sum(len(agent.received) < target for agent in self._agents.values())
        end = time.monotonic() + deadline
        while missing and time.monotonic() < end:
            for fd, events in self._epoll.poll(0.1):
                agent = self._agents[fd]
                before = len(agent.received)
                self._serve(agent, events)
                missing += (len(agent.received) < target) - (before < target)
            self._try_again()
        return missing

    def send_in_turn(self, data: bytes, seconds: float) -> None:
        """Sends the same few bytes on every connection, evenly over so many seconds, and reads what arrives."""
        begin, sent = time.monotonic(), 0
        agents = list(self._agents.values())
        while sent < len(agents) or time.monotonic() < begin + seconds:
            due = min(len(agents), int((time.monotonic() - begin) / seconds * len(agents)))
            for agent in agents[sent:due]:
                agent.sock.send(data)
            sent = max(sent, due)
            for fd, events in self._epoll.poll(0.01):
                self._serve(self._agents[fd], events)

    @property
    def received(self) -> int:
        """Bytes that have arrived on all connections since `forget`."""
        return sum(len(agent.received) for agent in self._agents.values())

    def finished(self, frames: int) -> list[float]:
        """When (monotonic) each connection that has got so many frames got its last."""
        target = frames * self._frame_size
        return [agent.last_arrival for agent in self._agents.values() if len(agent.received) >= target]

    def _serve(self, agent: _Agent, events: int) -> None:
        try:
            if agent.unsent and events & select.EPOLLOUT:
                agent.unsent = agent.unsent[agent.sock.send(agent.unsent) :]
                if not agent.unsent:
                    self._epoll.modify(agent.sock, select.EPOLLIN)
            if events & ~select.EPOLLOUT:
                data = agent.sock.recv(_READ)
                if not data:
                    raise ConnectionResetError
                agent.received += data
                agent.arrivals.append((time.monotonic(), len(agent.received)))
        except BlockingIOError:
            return
        except OSError:  # refused or reset
            self._make_again(agent)

    def _make_again(self, agent: _Agent) -> None:
        self.retries += 1
        del self._agents[agent.sock.fileno()]
        agent.sock.close()
        agent.begin()
        self._again.append((time.monotonic() + _RETRY, agent))

    def _try_again(self) -> None:
        while self._again and self._again[0][0] <= time.monotonic():
            self._begin(self._again.pop(0)[1])

    def forget(self) -> None:
        """Drops what has arrived so far, so that frames are counted from 0 again."""
        for agent in self._agents.values():
            agent.received.clear()
            agent.arrivals.clear()

    def answers(self) -> Iterator[list[tuple[float, Answer]]]:
        """For each connection, what has arrived, decoded, and when the last byte of each frame did."""
        for agent in self._agents.values():
            arrivals = iter(agent.arrivals)
            when, so_far = next(arrivals, (0.0, 0))
            timed = []
            for number, answer in enumerate(answers(bytes(agent.received)), 1):
                while so_far < number * self._frame_size:
                    when, so_far = next(arrivals)
                timed.append((when, answer))
            yield timed
