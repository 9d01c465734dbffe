"""Agents that report as lars-agent does: numbered reports, at most 64 unacknowledged; encoded beforehand."""

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from struct import Struct
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from lars.wire.frames import HEADER, FrameDecoder
from lars.wire.lars_pb2 import HostCallResult, ReportStatusAck, ReportStatusRequest
from lars.wire.messages import MessageId

MAX_IN_FLIGHT = 64

_BOOT = Struct("<Q")


def report_body(caller: int, modid: int, cmdid: int, hosts: Sequence[tuple[int, int]]) -> bytes:
    """A report of one module without its number: a success in ten is none, as agents send it every five seconds."""
    results = [
        HostCallResult(ip=ip, port=port, succ=9 + number % 3, err=number % 2) for number, (ip, port) in enumerate(hosts)
    ]
    return ReportStatusRequest(
        modid=modid, cmdid=cmdid, caller=caller, results=results, ts=int(time.time()), period_ms=5000
    ).SerializeToString()


class Caller:
    """One agent and its connection. `bodies` are the reports of one round, each of so many results."""

    def __init__(self, port: int, boot: int, bodies: Sequence[bytes], results: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.results = results
        self.bodies = bodies
        self._boot = b"\x39" + _BOOT.pack(boot)
        self._decoder = FrameDecoder()
        self._seq = 0
        self._sent: deque[tuple[int, float]] = deque()  # seq and moment of what is not acknowledged
        self.acknowledged = 0
        self.ages: list[float] = []

    @property
    def in_flight(self) -> int:
        """Reports that are not acknowledged."""
        return len(self._sent)

    def calls(self, index: int) -> tuple[int, int]:
        """Successes and failures in one of its reports."""
        results = ReportStatusRequest.FromString(self.bodies[index]).results
        return sum(result.succ for result in results), sum(result.err for result in results)

    def may_send(self) -> bool:
        """Whether another round may be sent."""
        return len(self._sent) + len(self.bodies) <= MAX_IN_FLIGHT

    def send_round(self) -> None:
        """Sends one report of each module."""
        frames = []
        now = time.monotonic()
        for body in self.bodies:
            self._seq += 1
            whole = body + self._boot + b"\x40" + _varint(self._seq)
            frames.append(HEADER.pack(MessageId.REPORT_STATUS_REQUEST, len(whole)) + whole)
            self._sent.append((self._seq, now))
        self.sock.sendall(b"".join(frames))

    def read(self) -> None:
        """Reads the acknowledgements that have arrived."""
        data = self.sock.recv(65_536)
        now = time.monotonic()
        if not data:
            raise BenchError("lars-reporter closed the connection")
        for _message_id, body in self._decoder.feed(data):
            seq = ReportStatusAck.FromString(body).seq
            while self._sent and self._sent[0][0] <= seq:
                self.ages.append(now - self._sent.popleft()[1])
                self.acknowledged += 1


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


class Callers:
    """Many agents in one epoll loop."""

    def __init__(self, callers: Sequence[Caller]) -> None:
        self._callers = callers
        self._epoll = select.epoll()
        self._by_fd = {caller.sock.fileno(): caller for caller in callers}
        for fd in self._by_fd:
            self._epoll.register(fd, select.EPOLLIN)
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for caller in self._callers:
            caller.sock.close()
        self._epoll.close()

    @property
    def acknowledged(self) -> int:
        """Results whose report is acknowledged."""
        return sum(caller.acknowledged * caller.results for caller in self._callers)

    def calls(self) -> tuple[int, int]:
        """Successes and failures in all reports that are acknowledged; all must be."""
        succ = err = 0
        for caller in self._callers:
            of_round = [caller.calls(body) for body in range(len(caller.bodies))]
            rounds = caller.acknowledged // len(of_round)
            succ += rounds * sum(s for s, _ in of_round)
            err += rounds * sum(e for _, e in of_round)
        return succ, err

    @property
    def ages(self) -> list[float]:
        """Seconds from sending a report to its acknowledgement, of all."""
        return [age for caller in self._callers for age in caller.ages]

    def forget_ages(self) -> None:
        """Drops the ages so far, such as those of the warm-up."""
        for caller in self._callers:
            caller.ages.clear()

    def report_in_turn(self, seconds: float, busy: int) -> None:
        """Callers report one after the other, so many at a time without an answer."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            free = busy - sum(1 for caller in self._callers if caller.in_flight)
            for _ in range(free):
                caller = self._callers[self._next]
                if caller.in_flight:
                    break
                self._next = (self._next + 1) % len(self._callers)
                caller.send_round()
            self._poll(0.01)

    def flood(self, seconds: float) -> None:
        """Every caller reports again as soon as it may."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for caller in self._callers:
                if caller.may_send():
                    caller.send_round()
            self._poll(0.01)

    def pace(self, seconds: float, rounds_per_second: float) -> None:
        """Callers report in turn at a steady rate."""
        begin = time.monotonic()
        sent = 0
        while (now := time.monotonic() - begin) < seconds:
            while sent < now * rounds_per_second:
                caller = self._callers[self._next]
                self._next = (self._next + 1) % len(self._callers)
                if not caller.may_send():
                    raise BenchError("lars-reporter does not keep up with the rate of the figure")
                caller.send_round()
                sent += 1
            self._poll(0.005)

    def settle(self, deadline: float) -> None:
        """Waits until everything is acknowledged."""
        end = time.monotonic() + deadline
        while any(caller.in_flight for caller in self._callers):
            if time.monotonic() > end:
                raise BenchError(f"not everything is acknowledged after {deadline:g} s")
            self._poll(0.05)

    def _poll(self, timeout: float) -> None:
        for fd, _events in self._epoll.poll(timeout):
            self._by_fd[fd].read()
