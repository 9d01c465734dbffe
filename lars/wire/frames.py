"""Frames: int32 message id, int32 body length, both little-endian, then the body (docs/design/wire.md, frames)."""

from collections.abc import Iterator, Mapping
from struct import Struct

from lars.errors import LarsError

HEADER = Struct("<ii")
HEADER_SIZE = HEADER.size

MAX_BODY = 65_527
"""The longest body in a TCP stream, in bytes; the C++ programs close the connection above it, and so does Lars."""

MAX_PASSED_OVER = 2**24
"""The longest body, in bytes, that a decoder passes over where its message may be longer than it can be read."""

MAX_DATAGRAM_BODY = 65_499
"""The longest body in a datagram, in bytes: 65,507 (UDP over IPv4) less the header."""


_TLS_HANDSHAKE = 0x0316
"""How a message id begins that is the head of a TLS record: handshake, version 3 (RFC 8446, 5.1)."""


class FrameError(LarsError):
    """Bytes that are not a frame. Their stream cannot be read any further; a datagram can be dropped."""


def encode_frame(message_id: int, body: bytes, longest: int = MAX_BODY) -> bytes:
    """One frame; raises FrameError if the body is longer than `longest`, which the peer must accept."""
    if len(body) > longest:
        raise FrameError(f"message {message_id}: a body of {len(body)} bytes is over the limit of {longest}")
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

    Args:
        longer: by message id, the longest body of messages that may be longer than MAX_BODY. A body that is longer
            still, up to MAX_PASSED_OVER, is passed over, so that the stream can be read on.

    Attributes:
        passed_over: bodies that were too long, and were or are being passed over.
    """

    __slots__ = ("_longer", "_missing", "_partial", "_to_pass", "passed_over")

    def __init__(self, longer: Mapping[int, int] | None = None) -> None:
        self._longer = longer or {}
        self._to_pass = 0  # bytes to come of a body that is passed over
        self.passed_over = 0
        self._partial = bytearray()
        self._missing = HEADER_SIZE  # length that _partial must reach to hold a frame or a header

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yields (message id, body) of every frame that data completes; exhaust it before the next call.

        Raises FrameError at a length that is negative or over MAX_BODY, after the frames before it; the decoder is
        then of no further use.
        """
        if self._to_pass:
            passed = min(self._to_pass, len(data))
            self._to_pass -= passed
            data = data[passed:]
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
            if not 0 <= length <= MAX_BODY and not 0 <= length <= self._longer.get(message_id, 0):
                if message_id not in self._longer or not 0 <= length <= MAX_PASSED_OVER:
                    raise FrameError(_not_readable(message_id, length))
                self.passed_over += 1
                start += HEADER_SIZE
                passed = min(length, end - start)
                self._to_pass = length - passed
                start += passed
                continue
            missing = HEADER_SIZE + length
            if end - start < missing:
                break
            yield message_id, data[start + HEADER_SIZE : start + missing]
            start += missing
            missing = HEADER_SIZE
        if start < end:
            partial += memoryview(data)[start:]
        self._missing = missing


def _not_readable(message_id: int, length: int) -> str:
    if message_id & 0xFFFF == _TLS_HANDSHAKE:
        return "it begins a TLS handshake, and this port has no TLS (tls_cert, tls_key and tls_ca)"
    return f"message {message_id}: a body length of {length} is not within 0 to {MAX_BODY}"
