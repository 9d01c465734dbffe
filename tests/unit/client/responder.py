"""An agent's shard for tests: a thread on a real UDP socket that gives prescribed answers."""

import queue
import socket
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from lars.route import HostAddress, parse_host
from lars.wire.frames import decode_datagram
from lars.wire.lars_pb2 import GetHostRequest, GetHostResponse, GetRouteRequest, GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, decode_message, encode_message

Answer = Callable[[Any], Iterable[bytes]]
"""Given a request, the datagrams to send back."""

HOST = "10.0.0.5:8080"
OTHER = "10.0.0.6:8081"
WAIT = 20.0
"""Seconds after which a test that waits has failed."""


class Responder:
    """Answers every datagram with the result of `answer`, which may be replaced at any time."""

    def __init__(self, answer: Answer, port: int = 0) -> None:
        self.answer = answer
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.port: int = self.socket.getsockname()[1]
        self.sender: Any = None
        """The sender of the request that is being answered."""
        self._handled: queue.Queue[Any] = queue.Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def agent(self) -> tuple[str, int]:
        """The agent's address, for modules of the first shard."""
        return ("127.0.0.1", self.port)

    def next(self) -> Any:
        """The next request, after all its answers have been sent."""
        return self._handled.get(timeout=WAIT)

    def none_is_left(self) -> bool:
        """Whether next has returned every request so far."""
        return self._handled.empty()

    def _run(self) -> None:
        while True:
            datagram, sender = self.socket.recvfrom(65_536)
            if not datagram:
                return
            self.sender = sender
            request = decode_message(*decode_datagram(datagram))
            for answer in self.answer(request):
                self.socket.sendto(answer, sender)
            self._handled.put(request)

    def close(self) -> None:
        self.socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(WAIT)
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def silent(_request: Any) -> Iterable[bytes]:
    """No answer."""
    return []


def serving(*hosts: str) -> Answer:
    """Answers get_host with the first host, get_route with all."""

    def answer(request: Any) -> Iterable[bytes]:
        if isinstance(request, GetHostRequest):
            return [host_answer(request, hosts[0])]
        return [route_answer(request, *hosts)] if isinstance(request, GetRouteRequest) else []

    return answer


def host_answer(request: GetHostRequest, host: str | None, **changed: int) -> bytes:
    """The answer to get_host, with some of its fields changed."""
    fields: dict[str, Any] = {"seq": request.seq, "modid": request.modid, "cmdid": request.cmdid, **changed}
    if host is not None:
        fields["host"] = _info(parse_host(host))
    return encode_message(MessageId.GET_HOST_RESPONSE, GetHostResponse(**fields))


def route_answer(request: GetRouteRequest, *hosts: str, **changed: int) -> bytes:
    """The answer to get_route, with some of its fields changed."""
    fields: dict[str, Any] = {"modid": request.modid, "cmdid": request.cmdid, **changed}
    response = GetRouteResponse(host=[_info(parse_host(host)) for host in hosts], **fields)
    return encode_message(MessageId.API_GET_ROUTE_RESPONSE, response)


def _info(host: HostAddress) -> HostInfo:
    return HostInfo(ip=host.ip, port=host.port)
