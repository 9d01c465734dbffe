"""What agents ask of lars-dns and what it answers, as frames; and one question on a blocking connection."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass

from bench.errors import BenchError
from lars.route import HostAddress, ModuleId
from lars.wire.frames import HEADER, HEADER_SIZE, FrameDecoder
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse
from lars.wire.messages import MessageId, decode_message, encode_message


def request(module: ModuleId) -> bytes:
    """A GetRouteRequest of a Python agent, as a frame."""
    message = GetRouteRequest(modid=module.modid, cmdid=module.cmdid, peer=1)
    return encode_message(MessageId.GET_ROUTE_REQUEST, message)


@dataclass(frozen=True, slots=True)
class Answer:
    """A GetRouteResponse that was received; its hosts are ordered."""

    module: ModuleId
    hosts: list[HostAddress]


def answers(stream: bytes) -> Iterator[Answer]:
    """The answers and pushes in a stream of whole frames, decoded as an agent would."""
    for message_id, body in FrameDecoder().feed(stream):
        message = decode_message(message_id, body)
        if isinstance(message, GetRouteResponse):
            hosts = sorted(HostAddress(host.ip, host.port) for host in message.host)
            yield Answer(ModuleId(message.modid, message.cmdid), hosts)


def ask(sock: socket.socket, module: ModuleId) -> bytes:
    """The frame that answers one request; nothing else may be under way on this blocking connection.

    Raises BenchError if the connection is closed instead.
    """
    sock.sendall(request(module))
    header = _exactly(sock, HEADER_SIZE)
    return header + _exactly(sock, HEADER.unpack(header)[1])


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = sock.recv(size, socket.MSG_WAITALL)
    if len(data) != size:
        raise BenchError("lars-dns closed the connection instead of answering")
    return data
