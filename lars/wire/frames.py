"""Frames: int32 message id, int32 body length, both little-endian, then the body (docs/design/wire.md, frames)."""

from collections.abc import Iterator
from struct import Struct

from lars.errors import LarsError

HEADER = Struct("<ii")
HEADER_SIZE = HEADER.size

MAX_BODY = 65_527
"""The longest body in a TCP stream, in bytes; the C++ programs close the connection above it, and so does Lars."""

MAX_DATAGRAM_BODY = 65_499
"""The longest body in a datagram, in bytes: 65,507 (UDP over IPv4) less the header."""


class FrameError(LarsError):
    """Bytes that are not a frame. Their stream cannot be read any further; a datagram can be dropped."""


def encode_frame(message_id: int, body: bytes) -> bytes:
    """One frame; raises FrameError if the body is longer than a peer would accept."""
    if len(body) > MAX_BODY:
        raise FrameError(f"message {message_id}: a body of {len(body)} bytes is over the limit of {MAX_BODY}")
    return HEADER.pack(message_id, len(body)) + body


def decode_datagram(datagram: bytes) -> tuple[int, bytes]:
    """The message id and body of a datagram, which holds exactly one frame; raises FrameError otherwise."""
    if len(datagram) < HEADER_SIZE:
        raise FrameError(f"a datagram of {len(datagram)} bytes is shorter than a frame's header")
    message_id, length = HEADER.unpack_from(datagram)
    if length != len(datagram) - HEADER_SIZE or length > MAX_DATAGRAM_BODY:
        raise FrameError(f"a datagram of {len(datagram)} bytes whose header says {length} of body")
    return message_id, datagram[HEADER_SIZE:]


class FrameDecoder:
    """Cuts one TCP stream into frames, whatever the reads that bring it.

    Never holds more than one incomplete frame; each byte is copied a bounded number of times, however small the
    pieces are in which it comes.
    """

    __slots__ = ("_missing", "_partial")

    def __init__(self) -> None:
        self._partial = bytearray()
        self._missing = HEADER_SIZE  # length that _partial must reach to hold a frame or a header

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields (message id, body) of every frame that data completes; exhaust it before the next call.

        Raises FrameError at a length that is negative or over MAX_BODY, after the frames before it; the decoder is
        then of no further use.
        """
        partial = self._partial
        if partial:
            partial += data
            if len(partial) < self._missing:
                return
            data = bytes(partial)
            partial.clear()
        start, end = 0, len(data)
        missing = HEADER_SIZE
        while end - start >= HEADER_SIZE:
            message_id, length = HEADER.unpack_from(data, start)
            if not 0 <= length <= MAX_BODY:
                raise FrameError(f"message {message_id}: a body length of {length} is not within 0 to {MAX_BODY}")
            missing = HEADER_SIZE + length
            if end - start < missing:
                break
            yield message_id, data[start + HEADER_SIZE : start + missing]
            start += missing
            missing = HEADER_SIZE
        if start < end:
            partial += memoryview(data)[start:]
        self._missing = missing
