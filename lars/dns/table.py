"""The route table: every module's route, packed, and its answers encoded once for each version of the route."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from lars.dns.packed_route import host_count, is_plain, lost_a_host, pack, undrained, unpack
from lars.errors import InvalidRoute
from lars.host_record import DEFAULT_WEIGHT, weight, zone
from lars.module_settings import MAX_JSON
from lars.route import MAX_HOSTS, MAX_ID, MAX_PORT, ModuleId, RouteRow
from lars.wire.frames import MAX_BODY
from lars.wire.lars_pb2 import GetRouteResponse, HostInfo, ModuleSettings
from lars.wire.messages import MessageId, encode_message
from lars.wire.rich_routes import MAX_RICH_ROUTE

Routes = dict[ModuleId, bytes]
"""Each module's packed route (lars.dns.packed_route); no module without hosts."""


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


def pack_routes(
    rows: Iterable[RouteRow], settings: Mapping[ModuleId, str], refused: Refused
) -> Iterator[tuple[ModuleId, bytes]]:
    """Each module of the rows, which come ordered by module, ip and port, with its route packed.

    Rows that cannot be a route are left out, and so is what exceeds MAX_HOSTS, in the rows' order. A weight or zone
    that no host can have, which only SQL can write, has its default.
    """
    for (modid, cmdid), same in groupby(rows, itemgetter(0, 1)):
        if not _possible(modid, cmdid):
            refused.add(f"module ({modid}, {cmdid}): ids are 0 to {MAX_ID}, not both 0")
            continue
        hosts = list(_usable(same, refused))
        if len(hosts) > MAX_HOSTS:
            refused.add(f"module ({modid}, {cmdid}): {len(hosts)} hosts, {MAX_HOSTS} at most")
        if hosts:
            module = ModuleId(modid, cmdid)
            yield module, pack(hosts[:MAX_HOSTS], _usable_settings(module, settings, refused))


def _possible(modid: object, cmdid: object) -> bool:
    """Whether a module can have these ids, which on SQLite need not be numbers."""
    if not (isinstance(modid, int) and isinstance(cmdid, int)):
        return False
    return 0 <= modid <= MAX_ID and 0 <= cmdid <= MAX_ID and not modid == cmdid == 0


def _usable(rows: Iterable[RouteRow], refused: Refused) -> Iterator[tuple[int, int, int, str]]:
    before: tuple[object, object] = 0, 0
    for modid, cmdid, ip, port, share, place in rows:
        # SQLite keeps text and fractions too
        if not (isinstance(ip, int) and isinstance(port, int) and 0 < ip < 2**32 and 0 < port <= MAX_PORT):
            refused.add(f"module ({modid}, {cmdid}): no host has ip {ip} and port {port}")
            continue
        if (ip, port) == before:
            continue  # a table without its unique key may hold a host twice
        before = ip, port
        if share != DEFAULT_WEIGHT or place:
            share, place = _valid(modid, cmdid, share, place, refused)
        yield ip, port, share, place


def _valid(modid: int, cmdid: int, share: object, place: object, refused: Refused) -> tuple[int, str]:
    try:
        return _checked(share, place)
    except InvalidRoute as error:
        refused.add(f"module ({modid}, {cmdid}): {error}; weight {DEFAULT_WEIGHT} and no zone are served")
        return DEFAULT_WEIGHT, ""


@lru_cache(10_000)  # most hosts have one of a few
def _checked(share: object, place: object) -> tuple[int, str]:
    return weight(share), zone(place)


def _usable_settings(module: ModuleId, settings: Mapping[ModuleId, str], refused: Refused) -> str:
    text = settings.get(module, "")
    if len(text.encode(errors="replace")) > MAX_JSON:
        refused.add(f"module {module}: its settings have more than {MAX_JSON} characters; none are served")
        return ""
    return text


class RouteTable:
    """The routes that lars-dns serves.

    Args:
        fresh_ms: sent with every route: milliseconds for which agents rely on pushes and need not ask again.
    """

    def __init__(self, fresh_ms: int) -> None:
        self._fresh_ms = fresh_ms
        self._routes: Routes = {}
        self._frames: dict[ModuleId, bytes] = {}
        self._plain_frames: dict[ModuleId, bytes] = {}
        self._hosts = 0
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
        return self._hosts

    @property
    def routes(self) -> Mapping[ModuleId, bytes]:
        """Every module's packed route."""
        return self._routes

    def put(self, module: ModuleId, packed: bytes) -> bool | None:
        """Replaces a module's route. Returns None if it is as before.

        Otherwise returns whether an agent that knows no weights loses a host.
        """
        before = self._routes.get(module, b"")
        if packed == before:
            return None
        if packed:
            self._routes[module] = packed
        else:
            del self._routes[module]
        self._hosts += host_count(packed) - host_count(before)
        self._frames.pop(module, None)
        self._plain_frames.pop(module, None)
        self.changes += 1
        return lost_a_host(before, packed)

    def frame(self, module: ModuleId) -> bytes:
        """The GetRouteResponse for a module, as one frame; without hosts if it has none."""
        return self._cached(self._frames, module, False)

    def plain_frame(self, module: ModuleId) -> bytes:
        """The same for an agent that knows no weights: addresses alone, without those of drained hosts."""
        if is_plain(self._routes.get(module, b"")):
            return self.frame(module)  # the same: of most modules one frame is kept
        return self._cached(self._plain_frames, module, True)

    def _cached(self, frames: dict[ModuleId, bytes], module: ModuleId, plain: bool) -> bytes:
        frame = frames.get(module)
        if frame is None:
            packed = self._routes.get(module, b"")
            frame = self._encode(module, packed, plain)
            if packed:  # a module without hosts is not kept: agents choose how many of these they ask for
                frames[module] = frame
        return frame

    def empty_frame(self, module: ModuleId) -> bytes:
        """A GetRouteResponse without hosts, whatever the module has."""
        return self._encode(module, b"", True)

    def unpushed_frame(self, module: ModuleId, rich: bool) -> bytes:
        """The GetRouteResponse for a module whose changes are not pushed to the asker, who has to ask again.

        It carries weights, zones and settings if it is `rich`.
        """
        return self._encode(module, self._routes.get(module, b""), not rich, 0)

    def _encode(self, module: ModuleId, packed: bytes, plain: bool, fresh_ms: int | None = None) -> bytes:
        fresh_ms = self._fresh_ms if fresh_ms is None else fresh_ms
        response = GetRouteResponse(modid=module.modid, cmdid=module.cmdid, fresh_ms=fresh_ms)
        response.version = max(0, self.version)
        if plain or is_plain(packed):
            response.host.extend([HostInfo(ip=ip, port=port) for ip, port in undrained(packed)])
        else:
            route = unpack(packed)
            for host in route.hosts:
                info = response.host.add(ip=host.address.ip, port=host.address.port, zone=host.zone)
                if host.weight != DEFAULT_WEIGHT:
                    info.weight = host.weight
            if route.settings:
                response.settings.CopyFrom(ModuleSettings(json=route.settings))
        return encode_message(MessageId.GET_ROUTE_RESPONSE, response, MAX_BODY if plain else MAX_RICH_ROUTE)
