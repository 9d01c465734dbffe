"""A C++ agent as a test peer: it reads all that has come, each time, and would die of a frame that is not whole."""

import socket
from collections.abc import Iterator
from threading import Thread
from time import monotonic
from typing import NamedTuple

from lars.route import HostAddress, ModuleId
from lars.wire.frames import FrameDecoder
from tests.unit.wire.cpp_peer import cpp_message
from tests.unit.wire.vectors import VECTORS

REQUESTS = {
    ModuleId(vector.fields["modid"], vector.fields["cmdid"]): vector.frame
    for vector in VECTORS
    if vector.message_id == 1
}
"""Requests for routes as the C++ agent puts them on the wire, captured."""


class Read(NamedTuple):
    """What one read brought. `at` is in seconds of time.monotonic."""

    at: float
    data: bytes


class CppAgent:
    """Reads in a thread of its own, as the original does; `reads` is all that it has read."""

    def __init__(self, port: int) -> None:
        self.reads: list[Read] = []
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._thread = Thread(target=self._read_all, daemon=True)
        self._thread.start()

    def _read_all(self) -> None:
        while data := self._socket.recv(2**24):  # as much as is there, as the original asks FIONREAD
            self.reads.append(Read(monotonic(), data))

    def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._socket.sendall(data)

    def split_frames(self) -> list[Read]:
        """The reads that did not end with the end of a frame: each would have been the original's death."""
        split = []
        for read in self.reads:
            decoder = FrameDecoder()
            list(decoder.feed(read.data))
            if decoder._partial:
                split.append(read)
        return split

    def routes(self) -> list[tuple[ModuleId, list[HostAddress]]]:
        """Every route that it received, in order, parsed with its own declarations."""
        return list(self._routes())

    def _routes(self) -> Iterator[tuple[ModuleId, list[HostAddress]]]:
        decoder = FrameDecoder()
        response = cpp_message("GetRouteResponse")
        for read in tuple(self.reads):
            for message_id, body in decoder.feed(read.data):
                assert message_id == 2
                route = response.FromString(body)
                hosts = [HostAddress(host.ip % 2**32, host.port) for host in route.host]
                yield ModuleId(route.modid, route.cmdid), hosts

    def close(self) -> None:
        """Ends the connection and the thread."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()
