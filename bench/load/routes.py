"""The routes that benchmarks load: as many modules as wanted, all of whose frames are of one size.

Every id, address and port takes the same number of bytes on the wire, so that a client can count requests and
answers by counting bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lars.db.routes import RouteEdit
from lars.route import HostAddress, ModuleId
from lars.wire.frames import FrameDecoder
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse
from lars.wire.messages import MessageId, decode_message, encode_message

FIRST_PORT = 20_000
"""The port of every host to begin with; the edit numbered n changes it to FIRST_PORT + n."""

PER_MODID = 10_000
_FIRST_ID = 1_000


@dataclass(frozen=True, slots=True)
class Routes:
    """Modules, up to 100,000, of so many hosts each."""

    modules: int
    hosts: int = 10

    def module(self, index: int) -> ModuleId:
        """The index-th module."""
        return ModuleId(_FIRST_ID + index // PER_MODID, _FIRST_ID + index % PER_MODID)

    def index(self, module: ModuleId) -> int:
        """Which module that is."""
        return (module.modid - _FIRST_ID) * PER_MODID + module.cmdid - _FIRST_ID

    @property
    def modids(self) -> range:
        """The modids that the modules have."""
        return range(_FIRST_ID, _FIRST_ID + (self.modules + PER_MODID - 1) // PER_MODID)

    def route(self, index: int, edit: int = 0) -> list[HostAddress]:
        """The hosts of the index-th module as the edit of that number leaves them, ordered."""
        first = (10 << 24) + index * self.hosts
        return [HostAddress(first + host, FIRST_PORT + edit) for host in range(self.hosts)]

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """All rows of RouteData to begin with."""
        for index in range(self.modules):
            module = self.module(index)
            for host in self.route(index):
                yield *module, *host

    def edit(self, index: int, number: int) -> RouteEdit:
        """The edit that gives a module the port of that number."""
        return RouteEdit(self.module(index), frozenset(self.route(index, number)), replace=True)

    def requests(self, start: int, count: int) -> bytes:
        """GetRouteRequests for `count` modules from the start-th on, round and round, as frames."""
        return b"".join(request(self.module(index % self.modules)) for index in range(start, start + count))


def request(module: ModuleId) -> bytes:
    """One of our agents' GetRouteRequests, as a frame."""
    message = GetRouteRequest(modid=module.modid, cmdid=module.cmdid, peer=1)
    return encode_message(MessageId.GET_ROUTE_REQUEST, message)


@dataclass(frozen=True, slots=True)
class Answer:
    """A GetRouteResponse that was received."""

    module: ModuleId
    hosts: list[HostAddress]

    def edit(self) -> int:
        """The number of the edit that made this route, as Routes.route has it."""
        return self.hosts[0].port - FIRST_PORT


def answers(stream: bytes) -> Iterator[Answer]:
    """The answers and pushes in a stream of whole frames, decoded as an agent would."""
    for message_id, body in FrameDecoder().feed(stream):
        message = decode_message(message_id, body)
        if isinstance(message, GetRouteResponse):
            hosts = sorted(HostAddress(host.ip, host.port) for host in message.host)
            yield Answer(ModuleId(message.modid, message.cmdid), hosts)
