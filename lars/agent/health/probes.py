"""The checks themselves: a TCP connection, or the status of an HTTP answer (RFC 9112).

Nothing is sent to a host that tcp checks. Of an HTTP answer the status line is read, and then the connection is closed.
"""

import re
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import ConnectError, ConnectionRefusedError, TimeoutError
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from lars.agent.health.check import PASSED, Check, Outcome
from lars.route import HostAddress, format_ip
from lars.runtime.reactor import IReactor

MAX_HEAD = 16_384
"""Bytes of an answer in which its status must come; interim answers (1xx) come before it."""

_STATUS_LINE = re.compile(rb"HTTP/1\.\d (\d{3})[ \r\n]")
_INTERIM = re.compile(rb"HTTP/1\.\d 1(?!01)\d\d\b.*?\r?\n\r?\n", re.DOTALL)


def probe(reactor: IReactor, check: Check, target: HostAddress) -> Deferred[Outcome]:
    """Makes one check, which ends within its timeout. It fails with nothing that a host or a network can cause."""
    protocol: Callable[[], _Probe] = _TcpProbe if check.type == "tcp" else lambda: _HttpProbe(check, target)
    endpoint = TCP4ClientEndpoint(reactor, format_ip(target.ip), target.port, timeout=check.timeout)
    connecting: Deferred[Any] = endpoint.connect(_ProbeFactory.forProtocol(protocol))
    connecting.addCallbacks(lambda connected: connected.outcome, _not_connected, errbackArgs=(check,))
    return connecting.addTimeout(check.timeout, reactor, lambda _result, seconds: _timed_out(seconds))


def _timed_out(seconds: float) -> Outcome:
    return Outcome("timeout", f"no answer in {seconds:g} s")


def _not_connected(failure: Failure, check: Check) -> Outcome | Failure:
    if failure.check(ConnectionRefusedError):
        return Outcome("refused", "connection refused")
    if failure.check(TimeoutError):
        return _timed_out(check.timeout)
    if failure.check(ConnectError):
        return Outcome("unreachable", "no route to it")
    return failure


class _ProbeFactory(Factory):
    noisy = False  # no log lines of each connection


class _Probe(Protocol):
    """A connection by which a host is checked; `outcome` is fired once."""

    def __init__(self) -> None:
        self.outcome: Deferred[Outcome] = Deferred(lambda _outcome: self._close())

    def _end(self, outcome: Outcome) -> None:
        if not self.outcome.called:
            self.outcome.callback(outcome)
        self._close()

    def _close(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]  # ITCPTransport has it


class _TcpProbe(_Probe):
    def connectionMade(self) -> None:
        self.outcome.callback(PASSED)
        assert self.transport is not None
        self.transport.loseConnection()


class _HttpProbe(_Probe):
    def __init__(self, check: Check, target: HostAddress) -> None:
        super().__init__()
        self._check = check
        self._target = target
        self._head = b""

    def connectionMade(self) -> None:
        request = (
            f"GET {self._check.path} HTTP/1.1\r\nHost: {self._target}\r\nUser-Agent: lars-agent\r\nAccept: */*\r\n"
            "Connection: close\r\n\r\n"
        )
        assert self.transport is not None
        self.transport.write(request.encode("ascii"))

    def dataReceived(self, data: bytes) -> None:
        self._head += data
        while interim := _INTERIM.match(self._head):
            self._head = self._head[interim.end() :]
        if found := _STATUS_LINE.match(self._head):
            status = int(found[1])
            if not 100 <= status < 200 or status == 101:
                self._end(PASSED if status == self._check.status else Outcome("status", f"http {status}"))
                return
        elif b"\n" in self._head or not b"HTTP/1.".startswith(self._head[:7]):
            self._end(Outcome("invalid", "no HTTP answer"))
            return
        if len(self._head) > MAX_HEAD:
            self._end(Outcome("invalid", "no HTTP status"))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end(Outcome("invalid", "closed without an answer"))
