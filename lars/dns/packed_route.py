"""A module's route in as few bytes as it needs: a million of them stay in memory (docs/design/dns.md, route table).

A route of plain hosts, without weights, zones and settings, takes 6 bytes a host. Any other begins with the address 0,
which no host has, and carries all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from struct import error as StructError

from lars.host_record import DEFAULT_WEIGHT
from lars.route import HostAddress

_PLAIN = Struct(">IH")  # ip, port
_RICH = b"\0\0\0\0"
_HEAD = Struct(">HHH")  # hosts, zones, bytes of the settings
_HOST = Struct(">IHHH")  # ip, port, weight, zone by its place in the list of zones


@dataclass(frozen=True, slots=True)
class RoutedHost:
    """A host as agents receive it."""

    address: HostAddress
    weight: int = DEFAULT_WEIGHT
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """The hosts of a module, in their order, and the canonical text of its settings."""

    hosts: tuple[RoutedHost, ...]
    settings: str = ""


def pack(hosts: Sequence[tuple[int, int, int, str]], settings: str = "") -> bytes:
    """The packed route of hosts (ip, port, weight, zone), which are valid, and settings; empty without hosts."""
    if not settings and all(weight == DEFAULT_WEIGHT and not zone for _ip, _port, weight, zone in hosts):
        return b"".join([_PLAIN.pack(ip, port) for ip, port, _weight, _zone in hosts])
    if not hosts:
        return b""
    zones = {zone: at for at, zone in enumerate(dict.fromkeys(zone for *_rest, zone in hosts))}
    names = [zone.encode() for zone in zones]
    text = settings.encode()
    return b"".join(
        [
            _RICH,
            _HEAD.pack(len(hosts), len(zones), len(text)),
            *[_HOST.pack(ip, port, weight, zones[zone]) for ip, port, weight, zone in hosts],
            *[bytes([len(name)]) + name for name in names],
            text,
        ]
    )


def unpack(packed: bytes) -> Route:
    """The route of a packed one."""
    if is_plain(packed):
        return Route(tuple(RoutedHost(HostAddress(ip, port)) for ip, port in _PLAIN.iter_unpack(packed)))
    start = len(_RICH) + _HEAD.size
    hosts, zones, _text = _HEAD.unpack_from(packed, len(_RICH))
    end = start + hosts * _HOST.size
    names, at = [], end
    for _ in range(zones):
        length = packed[at]
        names.append(packed[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return Route(
        tuple(
            RoutedHost(HostAddress(ip, port), weight, names[zone])
            for ip, port, weight, zone in _HOST.iter_unpack(packed[start:end])
        ),
        packed[at:].decode(),
    )


def is_plain(packed: bytes) -> bool:
    """Whether a packed route has neither weights nor zones nor settings."""
    return not packed.startswith(_RICH)


def is_whole(packed: bytes) -> bool:
    """Whether bytes from elsewhere are a packed route with hosts, as long as it should be."""
    try:
        if is_plain(packed):
            return bool(packed) and len(packed) % _PLAIN.size == 0
        return 0 < host_count(packed) == len(unpack(packed).hosts)
    except (StructError, IndexError, UnicodeDecodeError):
        return False


def host_count(packed: bytes) -> int:
    """The number of hosts in a packed route."""
    if is_plain(packed):
        return len(packed) // _PLAIN.size
    return int(_HEAD.unpack_from(packed, len(_RICH))[0])


def lost_a_host(old: bytes, new: bytes) -> bool:
    """Whether an agent that knows no weights loses a host by a change from one packed route to another."""
    return not set(undrained(old)) <= set(undrained(new))


def undrained(packed: bytes) -> Iterable[tuple[int, int]]:
    """Ip and port of the hosts for agents that know no weights: those with weight, or all where none has any."""
    if is_plain(packed):
        return _PLAIN.iter_unpack(packed)
    hosts = unpack(packed).hosts
    return [host.address for host in hosts if host.weight] or [host.address for host in hosts]
