"""Datagrams that no client of Lars sends, made by a random generator: the same ones for the same seed."""

from collections.abc import Callable
from random import Random

from lars.route import HostAddress, ModuleId
from lars.wire.frames import HEADER, HEADER_SIZE, MAX_DATAGRAM_BODY, encode_frame
from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest, HostInfo, ReportRequest
from lars.wire.messages import MessageId, encode_message

REQUESTS = (MessageId.GET_HOST_REQUEST, MessageId.REPORT_REQUEST, MessageId.API_GET_ROUTE_REQUEST)

NO_REQUESTS = (*range(-3, 4), 5, 8, 9, 11, 13, 15, 17, 18, -(2**31), 2**31 - 1)
"""Ids of messages that the agent does not take in a datagram: known ones, unknown ones, impossible ones."""

LARGE = 500
"""One datagram in so many is as large as a datagram can be."""


def requests(module: ModuleId, host: HostAddress) -> list[bytes]:
    """One of each request about a module, as clients send them."""
    modid, cmdid = module
    info = HostInfo(ip=host.ip, port=host.port)
    return [
        encode_message(MessageId.GET_HOST_REQUEST, GetHostRequest(seq=77, modid=modid, cmdid=cmdid)),
        encode_message(MessageId.API_GET_ROUTE_REQUEST, GetRouteRequest(modid=modid, cmdid=cmdid)),
        encode_message(MessageId.REPORT_REQUEST, ReportRequest(modid=modid, cmdid=cmdid, host=info)),
        encode_message(MessageId.REPORT_REQUEST, ReportRequest(modid=modid, cmdid=cmdid, host=info, retcode=-1)),
        encode_message(MessageId.REPORT_REQUEST, ReportRequest(modid=modid, cmdid=cmdid, host=info, cost_ms=12)),
    ]


def varint(value: int, size: int = 0) -> bytes:
    """A varint, padded to a size as no encoder does."""
    out = bytearray()
    while value > 127 or len(out) + 1 < size:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


class BadDatagrams:
    """An endless row of them: requests about some modules with this host, spoilt."""

    def __init__(self, seed: int, modules: list[ModuleId], host: HostAddress) -> None:
        self._random = Random(seed)
        self._modules = modules
        self._valid = [request for module in modules for request in requests(module, host)]
        self.hopeless = 0
        """How many of those made so far cannot be a request, whatever the numbers; of the others some can."""
        self._hopeless: list[Callable[[], bytes]] = [
            self._noise,
            self._cut_short,
            self._too_long,
            self._of_another_id,
            self._of_another_length,
            self._of_fields_without_end,
        ]
        self._doubtful: list[Callable[[], bytes]] = [self._changed, self._of_huge_numbers, self._of_a_stranger]

    def next(self) -> bytes:
        """The next one."""
        hopeless = self._random.random() < 0.6
        self.hopeless += hopeless
        return self._random.choice(self._hopeless if hopeless else self._doubtful)()

    def _one(self) -> bytes:
        return self._random.choice(self._valid)

    def _noise(self) -> bytes:
        large = self._random.randrange(LARGE) == 0
        return self._random.randbytes(self._random.randrange(HEADER_SIZE + MAX_DATAGRAM_BODY if large else 200))

    def _cut_short(self) -> bytes:
        frame = self._one()
        return frame[: self._random.randrange(len(frame))]

    def _too_long(self) -> bytes:
        return self._one() + self._random.randbytes(self._random.randrange(1, 40))

    def _of_another_id(self) -> bytes:
        message_id = self._random.choice(NO_REQUESTS)
        body = self._one()[HEADER_SIZE:]
        return HEADER.pack(message_id, len(body)) + body

    def _of_another_length(self) -> bytes:
        frame = self._one()
        other = self._random.choice([-(2**31), -1, 0, len(frame), len(frame) + 1, 2**31 - 1])
        return frame[:4] + HEADER.pack(0, other)[4:] + frame[HEADER_SIZE:]

    def _of_fields_without_end(self) -> bytes:
        """A whole frame whose body says that more is to come."""
        field = varint(self._random.randrange(1, 20) << 3 | 2) + varint(self._random.randrange(1_000, 2**63))
        return encode_frame(self._random.choice(REQUESTS), self._one()[HEADER_SIZE:] + field)

    def _changed(self) -> bytes:
        frame = bytearray(self._one())
        for _ in range(self._random.randrange(1, 4)):
            at = self._random.randrange(len(frame))
            # The low byte of the id may not become that of a request whose answers have no count to compare with.
            frame[at] = self._random.choice([*REQUESTS, *range(17, 256)]) if at == 0 else self._random.randrange(256)
        return bytes(frame)

    def _of_huge_numbers(self) -> bytes:
        body = b""
        for field in self._random.sample(range(1, 8), 3):
            number = self._random.choice([2**31, 2**32 - 1, 2**63, 2**64 - 1, 2**70 - 1, self._random.randrange(300)])
            body += varint(field << 3, self._random.choice([0, 0, 5, 10])) + varint(number, self._random.randrange(12))
        return encode_frame(self._random.choice(REQUESTS), body)

    def _of_a_stranger(self) -> bytes:
        """A report for a host that is in no route, or that cannot be one."""
        info = HostInfo(ip=self._random.getrandbits(32), port=self._random.choice([-1, 0, 80, 65_536, 2**31 - 1]))
        modid, cmdid = self._random.choice(self._modules)
        report = ReportRequest(modid=modid, cmdid=cmdid, host=info, retcode=self._random.randrange(2))
        return encode_message(MessageId.REPORT_REQUEST, report)
