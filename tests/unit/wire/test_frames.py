"""Frames: whatever the reads that bring them, they come out whole, and nothing but FrameError comes of bad bytes."""

from collections.abc import Iterable
from itertools import pairwise
from time import process_time

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.wire.frames import (
    HEADER,
    HEADER_SIZE,
    MAX_BODY,
    MAX_DATAGRAM_BODY,
    MAX_PASSED_OVER,
    FrameDecoder,
    FrameError,
    decode_datagram,
    encode_frame,
)

INT32 = st.integers(-(2**31), 2**31 - 1)
FRAMES = st.lists(st.tuples(INT32, st.binary(max_size=40)), max_size=12)


def decode(pieces: Iterable[bytes]) -> list[tuple[int, bytes]]:
    """All frames of one stream that comes in pieces."""
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)]


def one_by_one(stream: bytes) -> Iterable[bytes]:
    return (stream[i : i + 1] for i in range(len(stream)))


class LongerTests(SynchronousTestCase):
    """A message that may be longer than others, here 2."""

    def decode(self, size: int, message_id: int = 2, pieces: int = 1) -> tuple[list[tuple[int, int]], int]:
        """Ids and sizes of what came of such a message between two others, and how many were passed over."""
        decoder = FrameDecoder({2: 80_000})
        stream = encode_frame(1, b"a") + HEADER.pack(message_id, size) + bytes(size) + encode_frame(3, b"b")
        step = -(-len(stream) // pieces)
        frames = [f for at in range(0, len(stream), step) for f in decoder.feed(stream[at : at + step])]
        return [(frame_id, len(body)) for frame_id, body in frames], decoder.passed_over

    def test_it_is_read_up_to_its_own_limit(self) -> None:
        for pieces in (1, 7, 10_000):
            self.assertEqual(self.decode(80_000, pieces=pieces), ([(1, 1), (2, 80_000), (3, 1)], 0))

    def test_a_longer_one_is_passed_over_and_the_stream_goes_on(self) -> None:
        for pieces in (1, 2, 7, 10_000):
            self.assertEqual(self.decode(80_001, pieces=pieces), ([(1, 1), (3, 1)], 1))

    def test_other_messages_keep_the_common_limit(self) -> None:
        self.assertRaises(FrameError, self.decode, MAX_BODY + 1, 4)

    def test_nothing_is_kept_of_what_is_passed_over(self) -> None:
        decoder = FrameDecoder({2: 80_000})
        list(decoder.feed(HEADER.pack(2, MAX_PASSED_OVER)))
        for _ in range(MAX_PASSED_OVER // 2**16):
            list(decoder.feed(bytes(2**16)))
            self.assertEqual(len(decoder._partial), 0)
        self.assertEqual(list(decoder.feed(encode_frame(3, b"b"))), [(3, b"b")])

    def test_what_no_message_can_be_ends_the_stream(self) -> None:
        for length in (-1, MAX_PASSED_OVER + 1):
            with self.assertRaises(FrameError):
                list(FrameDecoder({2: 80_000}).feed(HEADER.pack(2, length)))


class StreamTests(SynchronousTestCase):
    @given(FRAMES, st.data())
    def test_any_frames_split_anywhere_come_out_whole(
        self, frames: list[tuple[int, bytes]], data: st.DataObject
    ) -> None:
        stream = b"".join(encode_frame(*frame) for frame in frames)
        cuts = data.draw(st.lists(st.integers(0, len(stream))))
        pieces = [stream[a:b] for a, b in pairwise([0, *sorted(cuts), len(stream)])]
        self.assertEqual(decode(pieces), frames)

    @given(FRAMES)
    def test_any_frames_come_out_whole_byte_by_byte(self, frames: list[tuple[int, bytes]]) -> None:
        self.assertEqual(decode(one_by_one(b"".join(encode_frame(*frame) for frame in frames))), frames)

    @given(st.lists(st.binary(max_size=30), max_size=20))
    def test_no_bytes_raise_anything_but_frame_error(self, pieces: list[bytes]) -> None:
        try:
            decode(pieces)
        except FrameError as error:
            self.assertIn("is not within 0 to 65527", str(error))

    def test_frame_comes_out_with_the_read_that_completes_it(self) -> None:
        decoder = FrameDecoder()
        frame = encode_frame(7, b"body")
        self.assertEqual(list(decoder.feed(frame[:-1])), [])
        self.assertEqual(list(decoder.feed(frame[-1:] + frame[:3])), [(7, b"body")])
        self.assertEqual(list(decoder.feed(frame[3:])), [(7, b"body")])

    def test_body_of_the_limit_passes_and_one_byte_more_does_not(self) -> None:
        body = bytes(MAX_BODY)
        self.assertEqual(decode([encode_frame(1, body)]), [(1, body)])
        with self.assertRaises(FrameError):
            decode([HEADER.pack(1, MAX_BODY + 1)])
        with self.assertRaisesRegex(FrameError, "message 1: a body of 65528 bytes is over the limit of 65527"):
            encode_frame(1, bytes(MAX_BODY + 1))

    def test_bad_lengths_are_refused_as_soon_as_the_header_is_there(self) -> None:
        for length in (-1, -(2**31), MAX_BODY + 1, 2**31 - 1):
            with self.assertRaisesRegex(FrameError, f"message 3: a body length of {length} is not within"):
                decode(one_by_one(HEADER.pack(3, length)))

    def test_frames_before_a_bad_length_come_out_first(self) -> None:
        frames = FrameDecoder().feed(encode_frame(1, b"a") + encode_frame(2, b"") + HEADER.pack(3, -1))
        self.assertEqual([next(frames), next(frames)], [(1, b"a"), (2, b"")])
        with self.assertRaises(FrameError):
            next(frames)

    def test_the_longest_body_byte_by_byte_costs_no_more_than_short_ones(self) -> None:
        # The same number of bytes and of reads. Were the incomplete frame copied at each read, the long one would copy
        # two gigabytes, and take three to four times as long; it takes less than the short ones.
        long = list(one_by_one(encode_frame(1, bytes(MAX_BODY))))
        short = list(one_by_one(encode_frame(1, bytes(120)) * 512))
        self.assertLess(min(self.cost(long) for _ in range(5)), 2 * min(self.cost(short) for _ in range(5)))

    def cost(self, pieces: list[bytes]) -> float:
        """CPU seconds to decode a stream."""
        start = process_time()
        decode(pieces)
        return process_time() - start


class DatagramTests(SynchronousTestCase):
    @given(INT32, st.binary(max_size=100))
    def test_one_frame_comes_out_whole(self, message_id: int, body: bytes) -> None:
        self.assertEqual(decode_datagram(encode_frame(message_id, body)), (message_id, body))

    @given(st.binary(max_size=40))
    def test_no_bytes_raise_anything_but_frame_error(self, datagram: bytes) -> None:
        try:
            decode_datagram(datagram)
        except FrameError as error:
            self.assertIn(f"a datagram of {len(datagram)} bytes", str(error))

    def test_anything_but_exactly_one_frame_is_refused(self) -> None:
        frame = encode_frame(4, b"body")
        for datagram in (b"", frame[: HEADER_SIZE - 1], frame[:-1], frame + b"x", frame + frame, HEADER.pack(4, -1)):
            with self.assertRaises(FrameError):
                decode_datagram(datagram)

    def test_body_of_the_limit_passes_and_one_byte_more_does_not(self) -> None:
        body = bytes(MAX_DATAGRAM_BODY)
        self.assertEqual(decode_datagram(encode_frame(4, body)), (4, body))
        with self.assertRaises(FrameError):
            decode_datagram(encode_frame(4, body + b"x"))
