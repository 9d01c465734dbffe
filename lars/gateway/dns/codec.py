"""DNS messages: a query from bytes, an answer to bytes, with EDNS and truncation (RFC 1035, 6891). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError

from twisted.names import dns

HEADER = Struct("!6H")
"""Id, flags, and how many records each of the four sections has."""

QR, OPCODE, RD, CD = 0x8000, 0x7800, 0x0100, 0x0010
"""Bits of the flags."""

OPT = 41
"""The pseudo-record of EDNS (RFC 6891, 6.1)."""

BADVERS = 16
"""The extended response code for an EDNS version that is not known (RFC 6891, 9)."""

PLAIN_SIZE = 512
"""Bytes of an answer over UDP to a query without EDNS (RFC 1035, 2.3.4)."""

EDNS_SIZE = 1232
"""Bytes of an answer over UDP at most, so that no fragments are needed (DNS flag day 2020); what OPT advertises."""

TCP_SIZE = 65_535
"""Bytes of a message over TCP."""

MAX_ADDITIONAL = 4
"""Additional records in a query: OPT, and the signatures that some resolvers add."""


class Malformed(Exception):
    """Bytes that are no query; `answer` is what they are answered with, None where that may not be."""

    def __init__(self, answer: bytes | None) -> None:
        super().__init__("no query")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Query:
    """One question.

    Attributes:
        message: as it came.
        name: without the dot at its end, in the client's case.
        type: the number of the record type.
        cls: the number of the class.
        edns_size: bytes of a datagram that the client can take; None for one that does not know EDNS.
        edns_version: 0 but for a client from the future.
    """

    message: dns.Message
    name: bytes
    type: int
    cls: int
    edns_size: int | None
    edns_version: int = 0

    def limit(self, over_tcp: bool) -> int:
        """Bytes that the answer may have."""
        if over_tcp:
            return TCP_SIZE
        if self.edns_size is None:
            return PLAIN_SIZE
        return min(EDNS_SIZE, max(PLAIN_SIZE, self.edns_size))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a query is answered with."""

    rcode: int = dns.OK
    answers: Sequence[dns.RRHeader] = ()
    authority: Sequence[dns.RRHeader] = ()
    additional: Sequence[dns.RRHeader] = ()
    authoritative: bool = True


def read_query(data: bytes) -> Query:
    """The question in a message; raises Malformed.

    A message has one question (RFC 9619), and neither answers nor authorities. A response is never answered, so that
    two servers cannot talk for ever.
    """
    if len(data) < HEADER.size:
        raise Malformed(None)
    ident, flags, questions, answers, authorities, additional = HEADER.unpack_from(data)
    if flags & QR:
        raise Malformed(None)
    if flags & OPCODE:
        raise Malformed(_header(ident, flags, dns.ENOTIMP))
    if questions != 1 or answers or authorities or additional > MAX_ADDITIONAL:
        raise Malformed(_header(ident, flags, dns.EFORMAT))
    message = dns.Message()
    try:
        message.fromStr(data)
        [question] = message.queries
        edns_size, edns_version = _edns(message, additional)
    except (EOFError, ValueError, StructError, IndexError, OverflowError, TypeError, AttributeError):
        raise Malformed(_header(ident, flags, dns.EFORMAT)) from None
    return Query(message, question.name.name, question.type, question.cls, edns_size, edns_version)


def _edns(message: dns.Message, additional: int) -> tuple[int | None, int]:
    """The client's size and version; raises ValueError where a record is missing or there are two (RFC 6891, 6.1.1)."""
    if not additional:
        return None, 0
    if len(message.additional) != additional:
        raise ValueError("a record is cut off")
    found = [record for record in message.additional if record.type == OPT]
    if len(found) > 1 or (found and found[0].name.name):
        raise ValueError("OPT has its rules")
    return (found[0].cls, found[0].ttl >> 16 & 0xFF) if found else (None, 0)


def _header(ident: int, flags: int, rcode: int) -> bytes:
    """An answer without sections."""
    return HEADER.pack(ident, QR | flags & (OPCODE | RD | CD) | rcode, 0, 0, 0, 0)


def encode_reply(query: Query, reply: Reply, limit: int) -> bytes:
    """The answer in at most `limit` bytes.

    Additional records that do not fit are left out; where the answer does not, all of it is, and TC set: the client
    asks again over TCP (RFC 2181, 9).
    """
    data = _encoded(query, reply, reply.additional)
    if len(data) > limit and reply.additional:
        data = _encoded(query, reply, _as_many_as_fit(query, reply, limit))
    if len(data) > limit:
        data = _encoded(query, Reply(reply.rcode, authoritative=reply.authoritative), (), truncated=True)
    return data


def _as_many_as_fit(query: Query, reply: Reply, limit: int) -> Sequence[dns.RRHeader]:
    fits, too_many = 0, len(reply.additional)
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if len(_encoded(query, reply, reply.additional[:middle])) <= limit:
            fits = middle
        else:
            too_many = middle
    return reply.additional[:fits]


def _encoded(query: Query, reply: Reply, additional: Sequence[dns.RRHeader], truncated: bool = False) -> bytes:
    asked = query.message
    message = dns.Message(
        asked.id,
        answer=1,
        recDes=asked.recDes,
        auth=reply.authoritative,
        rCode=reply.rcode & 15,
        trunc=int(truncated),
        maxSize=0,
        checkingDisabled=asked.checkingDisabled,
    )
    message.queries = asked.queries
    message.answers = list(reply.answers)
    message.authority = list(reply.authority)
    message.additional = list(additional)
    if query.edns_size is not None:
        message.additional.append(_opt(reply.rcode >> 4))
    return message.toStr()


def _opt(extended_rcode: int) -> dns.RRHeader:
    return dns.RRHeader(b"", OPT, EDNS_SIZE, extended_rcode << 24, dns.UnknownRecord(b"", 0))
