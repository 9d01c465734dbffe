"""Messages: what the C++ programs sent reads right, what ours write they can read, and nothing else harms."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.route import MAX_HOSTS, parse_ip
from lars.wire.frames import HEADER_SIZE, MAX_DATAGRAM_BODY, FrameDecoder, FrameError, decode_datagram
from lars.wire.lars_pb2 import (
    GetRouteRequest,
    GetRouteResponse,
    HostCallResult,
    HostInfo,
    ReportRequest,
    ReportStatusRequest,
)
from lars.wire.messages import MESSAGE_TYPES, Message, MessageId, decode_message, encode_message
from tests.unit.wire.cpp_peer import cpp_message
from tests.unit.wire.vectors import VECTORS, fields_of, message_of

ADDRESSES = ("ip", "caller")


def as_cpp_reads(fields: Any, key: str = "") -> Any:
    """The same fields where addresses are int32."""
    if isinstance(fields, dict):
        return {name: as_cpp_reads(value, name) for name, value in fields.items()}
    if isinstance(fields, list):
        return [as_cpp_reads(value) for value in fields]
    return fields - 2**32 if key in ADDRESSES and fields >= 2**31 else fields


class CapturedFrameTests(SynchronousTestCase):
    """Every frame of the capture, in both directions."""

    def test_every_message_of_the_cpp_system_was_captured(self) -> None:
        self.assertEqual({v.message_id for v in VECTORS}, set(range(1, 9)))

    def test_frame_decodes_from_a_stream_to_the_fields_it_names(self) -> None:
        for vector in VECTORS:
            [(message_id, body)] = FrameDecoder().feed(vector.frame)
            message = decode_message(message_id, body)
            assert message is not None
            self.assertEqual(message_id, vector.message_id)
            self.assertEqual(type(message).__name__, vector.message_name)
            self.assertEqual(fields_of(message), vector.fields)

    def test_frame_decodes_from_a_datagram_to_the_same_message(self) -> None:
        for vector in VECTORS:
            message_id, body = decode_datagram(vector.frame)
            self.assertEqual(decode_message(message_id, body), message_of(vector))

    def test_a_whole_capture_in_one_stream_decodes_in_order(self) -> None:
        stream = b"".join(vector.frame for vector in VECTORS)
        ids = [message_id for message_id, _body in FrameDecoder().feed(stream)]
        self.assertEqual(ids, [vector.message_id for vector in VECTORS])

    def test_ten_byte_varint_of_a_negative_address_reads_as_the_address(self) -> None:
        body = bytes.fromhex("08b183a085fcffffffff0110e13c")  # as captured: -1062731343 and 7777
        self.assertEqual(HostInfo.FromString(body), HostInfo(ip=parse_ip("192.168.1.177"), port=7777))

    def test_what_ours_writes_for_those_fields_a_cpp_peer_reads_as_the_same(self) -> None:
        for vector in VECTORS:
            [(message_id, body)] = FrameDecoder().feed(encode_message(MessageId(vector.message_id), message_of(vector)))
            theirs = cpp_message(vector.message_name).FromString(body)
            self.assertEqual(message_id, vector.message_id)
            self.assertEqual(fields_of(theirs), as_cpp_reads(vector.fields))

    def test_a_cpp_peer_re_encodes_what_ours_wrote_to_the_very_frame_it_sends_itself(self) -> None:
        for vector in VECTORS:
            theirs = cpp_message(vector.message_name).FromString(message_of(vector).SerializeToString())
            self.assertEqual(theirs.SerializeToString(), vector.frame[HEADER_SIZE:])


class AdditionTests(SynchronousTestCase):
    """A C++ peer skips the fields that ours adds, and reads the others as before."""

    def assert_read_without_additions(self, ours: Message, *additions: str) -> None:
        theirs = cpp_message(type(ours).__name__).FromString(ours.SerializeToString())
        expected = as_cpp_reads(fields_of(ours))
        for addition in additions:
            del expected[addition]
        theirs.DiscardUnknownFields()
        self.assertEqual(fields_of(theirs), expected)

    def test_route_request_of_our_agent(self) -> None:
        self.assert_read_without_additions(GetRouteRequest(modid=1, cmdid=2, peer=1), "peer")

    def test_route_response_of_our_dns(self) -> None:
        response = GetRouteResponse(modid=1, cmdid=2, host=[HostInfo(ip=2**32 - 1, port=80)], fresh_ms=60_000)
        self.assert_read_without_additions(response, "fresh_ms")

    def test_report_of_our_client(self) -> None:
        self.assert_read_without_additions(ReportRequest(modid=1, cmdid=2, retcode=1, cost_ms=5), "cost_ms")

    def test_status_report_of_our_agent(self) -> None:
        results = [HostCallResult(ip=2**31, port=80, succ=1, err=2, overload=True)]
        report = ReportStatusRequest(
            modid=1, cmdid=2, caller=2**32 - 2, results=results, ts=9, period_ms=5000, boot=2**64 - 1, seq=2**32 - 1
        )
        self.assert_read_without_additions(report, "period_ms", "boot", "seq")


class DecodeTests(SynchronousTestCase):
    def test_every_message_id_has_its_type(self) -> None:
        self.assertEqual(set(MESSAGE_TYPES), set(MessageId))

    def test_unknown_id_is_none_whatever_its_body(self) -> None:
        self.assertIsNone(decode_message(99, b"\xff\xff"))

    def test_empty_body_is_a_message_of_defaults(self) -> None:
        self.assertEqual(decode_message(MessageId.GET_ROUTE_REQUEST, b""), GetRouteRequest())

    @given(st.sampled_from([*MessageId, -1, 0, 2**31 - 1]), st.binary(max_size=300))
    def test_no_body_raises_anything_but_frame_error(self, message_id: int, body: bytes) -> None:
        try:
            decode_message(message_id, body)
        except FrameError as error:
            self.assertIn(f"message {int(message_id)}: a body of {len(body)} bytes", str(error))

    @given(st.sampled_from(VECTORS), st.data())
    def test_no_damage_to_a_real_body_raises_anything_but_frame_error(self, vector: Any, data: st.DataObject) -> None:
        body = bytearray(vector.frame[HEADER_SIZE:])
        at = data.draw(st.integers(0, len(body) - 1))
        body[at] = data.draw(st.integers(0, 255))
        try:
            decode_message(vector.message_id, bytes(body[: data.draw(st.integers(0, len(body)))]))
        except FrameError:
            return

    def test_the_fullest_route_fits_a_datagram(self) -> None:
        hosts = [HostInfo(ip=2**32 - 1, port=65535)] * MAX_HOSTS
        response = GetRouteResponse(modid=2**31 - 1, cmdid=2**31 - 1, host=hosts, fresh_ms=2**32 - 1)
        frame = encode_message(MessageId.GET_ROUTE_RESPONSE, response)
        self.assertLessEqual(len(frame), HEADER_SIZE + MAX_DATAGRAM_BODY)

    def test_message_too_long_for_a_frame_is_refused(self) -> None:
        response = GetRouteResponse(host=[HostInfo(ip=2**32 - 1, port=65535)] * 6000)
        with self.assertRaisesRegex(FrameError, "message 2: a body of .* over the limit of 65527"):
            encode_message(MessageId.GET_ROUTE_RESPONSE, response)
