"""DNS messages: what is a query, and answers that fit."""

import random
from struct import pack

from hypothesis import given
from hypothesis.strategies import binary
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.dns.codec import BADVERS, EDNS_SIZE, Malformed, Query, Reply, encode_reply, read_query
from tests.unit.gateway.dns.queries import OPT, asked, read


def refused(data: bytes) -> dns.Message | None:
    """How a message that is no query is answered; None if it may not be."""
    try:
        read_query(data)
    except Malformed as malformed:
        return read(malformed.answer) if malformed.answer is not None else None
    raise AssertionError("it is a query")


def addresses(count: int, name: bytes = b"1.1.lars") -> list[dns.RRHeader]:
    return [dns.RRHeader(name, dns.A, dns.IN, 0, dns.Record_A(f"10.0.{n >> 8}.{n & 255}", 0)) for n in range(count)]


class QueryTests(SynchronousTestCase):
    def test_a_query_keeps_the_case_of_its_name(self) -> None:
        query = read_query(asked("1.1.LaRs", dns.SRV))
        self.assertEqual((query.name, query.type, query.cls), (b"1.1.LaRs", dns.SRV, dns.IN))
        answer = encode_reply(query, Reply(), 512)
        self.assertIn(b"\x011\x011\x04LaRs\0", answer)

    def test_the_size_is_that_of_the_client_within_limits(self) -> None:
        for edns, limit in ((None, 512), (100, 512), (700, 700), (4096, EDNS_SIZE)):
            query = read_query(asked("1.1.lars", edns=edns))
            self.assertEqual(query.limit(over_tcp=False), limit)
            self.assertEqual(query.limit(over_tcp=True), 65_535)

    def test_what_is_short_or_a_response_is_not_answered(self) -> None:
        self.assertIsNone(refused(b""))
        self.assertIsNone(refused(asked("1.1.lars")[:11]))
        data = bytearray(asked("1.1.lars"))
        data[2] |= 0x80
        self.assertIsNone(refused(bytes(data)))

    def test_another_opcode_is_not_implemented(self) -> None:
        data = bytearray(asked("1.1.lars"))
        data[2] |= 5 << 3  # UPDATE
        answer = refused(bytes(data))
        assert answer is not None
        self.assertEqual((answer.id, answer.rCode, answer.opCode, answer.answer), (4711, dns.ENOTIMP, 5, 1))

    def test_two_questions_or_none_are_a_format_error(self) -> None:
        for questions in (0, 2):
            data = bytearray(asked("1.1.lars"))
            data[4:6] = pack("!H", questions)
            answer = refused(bytes(data))
            assert answer is not None
            self.assertEqual((answer.id, answer.rCode, answer.recDes), (4711, dns.EFORMAT, 1))

    def test_answers_in_a_query_are_a_format_error(self) -> None:
        data = bytearray(asked("1.1.lars"))
        data[6:8] = pack("!H", 1)
        answer = refused(bytes(data))
        assert answer is not None
        self.assertEqual(answer.rCode, dns.EFORMAT)

    def test_a_query_that_is_cut_off_is_a_format_error(self) -> None:
        whole = asked("1.1.lars", edns=1232)
        for size in range(12, len(whole)):
            answer = refused(whole[:size])
            assert answer is not None, size
            self.assertEqual(answer.rCode, dns.EFORMAT)

    def test_two_opts_or_one_with_a_name_are_a_format_error(self) -> None:
        message = read(asked("1.1.lars", edns=1232))
        message.additional *= 2
        answer = refused(message.toStr())
        assert answer is not None
        self.assertEqual(answer.rCode, dns.EFORMAT)
        message = read(asked("1.1.lars", edns=1232))
        message.additional[0].name = dns.Name(b"lars")
        answer = refused(message.toStr())
        assert answer is not None
        self.assertEqual(answer.rCode, dns.EFORMAT)

    def test_ten_thousand_damaged_queries_raise_nothing_else(self) -> None:
        rng = random.Random(7)
        whole = asked("_lars._tcp.1.1.lars", dns.SRV, edns=1232)
        for _ in range(10_000):
            data = bytearray(whole)
            for _ in range(rng.randrange(1, 6)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            self.reads(bytes(data[: rng.randrange(len(data) + 1)]))

    @given(binary(max_size=300))
    def test_any_bytes_raise_nothing_else(self, data: bytes) -> None:
        self.reads(data)
        self.reads(pack("!6H", 1, 0, 1, 0, 0, 1) + data)

    def reads(self, data: bytes) -> None:
        try:
            query = read_query(data)
        except Malformed as malformed:
            if malformed.answer is not None:
                self.assertEqual(len(malformed.answer), 12)
        else:
            encode_reply(query, Reply(dns.EREFUSED), 512)


class ReplyTests(SynchronousTestCase):
    def query(self, edns: int | None = None) -> Query:
        return read_query(asked("1.1.lars", edns=edns))

    def test_flags_are_those_of_an_authority(self) -> None:
        answer = read(encode_reply(self.query(), Reply(answers=addresses(1)), 512))
        self.assertEqual((answer.id, answer.answer, answer.auth, answer.recDes, answer.recAv), (4711, 1, 1, 1, 0))
        self.assertEqual(answer.additional, [])

    def test_a_client_that_knows_edns_gets_opt(self) -> None:
        [opt] = read(encode_reply(self.query(edns=4096), Reply(), 512)).additional
        self.assertEqual((opt.type, opt.cls, opt.ttl, opt.name.name), (OPT, EDNS_SIZE, 0, b""))

    def test_bad_version_is_an_extended_code(self) -> None:
        answer = read(encode_reply(self.query(edns=1232), Reply(BADVERS), 512))
        self.assertEqual((answer.rCode, answer.additional[0].ttl >> 24), (0, 1))

    def test_an_answer_that_does_not_fit_is_truncated(self) -> None:
        data = encode_reply(self.query(edns=1232), Reply(answers=addresses(100)), EDNS_SIZE)
        answer = read(data)
        self.assertEqual((answer.trunc, answer.answers, len(answer.additional)), (1, [], 1))
        whole = read(encode_reply(self.query(edns=1232), Reply(answers=addresses(100)), 65_535))
        self.assertEqual((whole.trunc, len(whole.answers)), (0, 100))

    def test_additional_records_that_do_not_fit_are_left_out(self) -> None:
        data = encode_reply(self.query(edns=512), Reply(answers=addresses(10), additional=addresses(50)), 512)
        answer = read(data)
        self.assertEqual((answer.trunc, len(answer.answers)), (0, 10))
        self.assertTrue(512 - 16 < len(data) <= 512, "as many as there is room for")
        self.assertEqual(answer.additional[-1].type, OPT)
