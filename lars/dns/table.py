"""The route table: every module's hosts, packed, and its answer encoded once for each version of the route."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from struct import Struct
from struct import error as StructError

from lars.route import MAX_HOSTS, MAX_ID, MAX_PORT, HostAddress, ModuleId, RouteRow
from lars.wire.lars_pb2 import GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, encode_message

_HOST = Struct(">IH")

Routes = dict[ModuleId, bytes]
"""Each module's hosts: 6 bytes a host (IPv4 address, port), in their order; no module without hosts."""


class Refused:
    """Rows of RouteData that cannot be served: their number, and descriptions of the first five."""

    def __init__(self) -> None:
        self.count = 0
        self.examples: list[str] = []

    def add(self, text: str) -> None:
        """Counts one row, described by a text."""
        self.count += 1
        if len(self.examples) < 5:
            self.examples.append(text)


def pack_routes(rows: Iterable[RouteRow], refused: Refused) -> Iterator[tuple[ModuleId, bytes]]:
    """Each module of the rows, which come ordered by module, with its hosts packed.

    Rows that cannot be a route are left out, and so is what exceeds MAX_HOSTS, in the rows' order.
    """
    for (modid, cmdid), same in groupby(rows, itemgetter(0, 1)):
        if not _possible(modid, cmdid):
            refused.add(f"module ({modid}, {cmdid}): ids are 0 to {MAX_ID}, not both 0")
            continue
        hosts = dict.fromkeys(_usable(same, refused))  # an old table may hold a host twice
        if len(hosts) > MAX_HOSTS:
            refused.add(f"module ({modid}, {cmdid}): {len(hosts)} hosts, {MAX_HOSTS} at most")
        if hosts:
            yield ModuleId(modid, cmdid), b"".join(list(hosts)[:MAX_HOSTS])


def _possible(modid: object, cmdid: object) -> bool:
    """Whether a module can have these ids, which on SQLite need not be numbers."""
    if not (isinstance(modid, int) and isinstance(cmdid, int)):
        return False
    return 0 <= modid <= MAX_ID and 0 <= cmdid <= MAX_ID and not modid == cmdid == 0


def _usable(rows: Iterable[RouteRow], refused: Refused) -> Iterator[bytes]:
    for modid, cmdid, ip, port in rows:
        try:
            if 0 < ip < 2**32 and 0 < port <= MAX_PORT:
                yield _HOST.pack(ip, port)
                continue
        except (TypeError, StructError):
            pass  # SQLite keeps text and fractions too
        refused.add(f"module ({modid}, {cmdid}): no host has ip {ip} and port {port}")


def unpack_hosts(packed: bytes) -> list[HostAddress]:
    """The hosts of a packed route."""
    return [HostAddress(ip, port) for ip, port in _HOST.iter_unpack(packed)]


class RouteTable:
    """The routes that lars-dns serves.

    Args:
        fresh_ms: sent with every route: milliseconds for which agents rely on pushes and need not ask again.
    """

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms
        self._routes: Routes = {}
        self._frames: dict[ModuleId, bytes] = {}
        self._packed_bytes = 0
        self.version = 0
        """The route version of the database that the table is equal to."""
        self.changes = 0
        """How many modules have changed so far."""

    def __len__(self) -> int:
        """How many modules have hosts."""
        return len(self._routes)

    @property
    def hosts(self) -> int:
        """How many hosts all modules have together."""
        return self._packed_bytes // _HOST.size

    @property
    def routes(self) -> Mapping[ModuleId, bytes]:
        """Every module's packed hosts."""
        return self._routes

    def put(self, module: ModuleId, packed: bytes) -> bool | None:
        """Replaces a module's hosts. Returns None if they are as before, else whether a host was lost."""
        before = self._routes.get(module, b"")
        if packed == before:
            return None
        if packed:
            self._routes[module] = packed
        else:
            del self._routes[module]
        self._packed_bytes += len(packed) - len(before)
        self._frames.pop(module, None)
        self.changes += 1
        return _lost_a_host(before, packed)

    def frame(self, module: ModuleId) -> bytes:
        """The GetRouteResponse for a module, as one frame; without hosts if it has none."""
        frame = self._frames.get(module)
        if frame is None:
            packed = self._routes.get(module, b"")
            frame = self._encode(module, packed)
            if packed:  # a module without hosts is not kept: agents choose how many of these they ask for
                self._frames[module] = frame
        return frame

    def empty_frame(self, module: ModuleId) -> bytes:
        """A GetRouteResponse without hosts, whatever the module has."""
        return self._encode(module, b"")

    def unpushed_frame(self, module: ModuleId) -> bytes:
        """The GetRouteResponse for a module whose changes are not pushed to the asker, who has to ask again."""
        return self._encode(module, self._routes.get(module, b""), 0)

    def _encode(self, module: ModuleId, packed: bytes, fresh_ms: int | None = None) -> bytes:
        hosts = [HostInfo(ip=ip, port=port) for ip, port in _HOST.iter_unpack(packed)]
        fresh_ms = self._fresh_ms if fresh_ms is None else fresh_ms
        response = GetRouteResponse(modid=module.modid, cmdid=module.cmdid, host=hosts, fresh_ms=fresh_ms)
        return encode_message(MessageId.GET_ROUTE_RESPONSE, response)


def _lost_a_host(old: bytes, new: bytes) -> bool:
    return not set(_HOST.iter_unpack(old)) <= set(_HOST.iter_unpack(new))
