"""Routes: modules, hosts, and their text form (docs/design/wire.md, words).

The values are named tuples rather than dataclasses because they are dictionary keys on the hot path, where a tuple's
hash and comparison run in C.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lars.errors import InvalidRoute

MAX_HOSTS = 4000
"""Hosts in one module at most (docs/design/wire.md, limits): more would not fit a frame."""

MAX_ID = 2**31 - 1
"""The largest modid or cmdid: they are int32 on the wire, and never negative."""

MAX_PORT = 65535
"""The largest port; 0 is not one."""


class ModuleId(NamedTuple):
    """One remote service: modid the business, cmdid the function, each 0 to 2**31 - 1. (0, 0) does not exist."""

    modid: int
    cmdid: int

    def __str__(self) -> str:
        return f"({self.modid}, {self.cmdid})"


RouteRow = tuple[int, int, int, int, int, str]
"""modid, cmdid, ip, port, weight and zone of a row of RouteData, which may be out of range."""


class HostAddress(NamedTuple):
    """One node: its IPv4 address as a number in host order, and its port."""

    ip: int
    port: int

    def __str__(self) -> str:
        return f"{format_ip(self.ip)}:{self.port}"


@dataclass(frozen=True, slots=True)
class Steering:
    """What an operator has set for a route, besides its hosts (docs/design/wire.md, rich routes).

    Attributes:
        weights: of the hosts whose weight is not 100.
        zones: of the hosts that have one.
        settings: the canonical text of the module's settings; empty if it sets none.
    """

    weights: Mapping[HostAddress, int] = field(default_factory=dict)
    zones: Mapping[HostAddress, str] = field(default_factory=dict)
    settings: str = ""


UNSTEERED = Steering()
"""Of a route for which nothing was set."""


def format_ip(ip: int) -> str:
    """3232235953 -> "192.168.1.177"."""
    return f"{ip >> 24 & 255}.{ip >> 16 & 255}.{ip >> 8 & 255}.{ip & 255}"


def parse_ip(text: str) -> int:
    """ "192.168.1.177" -> 3232235953.

    Raises InvalidRoute unless the text is a dotted IPv4 address; host names are never resolved.
    """
    try:
        return int(ipaddress.IPv4Address(text))
    except ValueError:
        raise InvalidRoute(
            f"{text!r} is not an IPv4 address: write it as 10.0.0.5 (Lars never resolves names)"
        ) from None


def parse_port(text: str) -> int:
    """ "8080" -> 8080; raises InvalidRoute unless it is a decimal number from 1 to 65535."""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_PORT):
        raise InvalidRoute(f"{text!r} is not a port: use a number from 1 to {MAX_PORT}")
    return int(text)


def parse_host(text: str) -> HostAddress:
    """ "10.0.0.5:8080" -> HostAddress; raises InvalidRoute, naming the part that is wrong."""
    ip, colon, port = text.strip().rpartition(":")
    if not colon:
        raise InvalidRoute(f"{text!r} is not a host: write IP:PORT, as in 10.0.0.5:8080")
    return HostAddress(parse_ip(ip), parse_port(port))


def serving_host(text: str) -> HostAddress:
    """As parse_host, but raises InvalidRoute for 0.0.0.0 as well."""
    host = parse_host(text)
    if not host.ip:
        raise InvalidRoute("0.0.0.0 is not a host's address: use that of the machine that serves")
    return host


def module_id(modid: int, cmdid: int) -> ModuleId:
    """A valid ModuleId; raises InvalidRoute if an id is out of range, and for (0, 0)."""
    if 0 <= modid <= MAX_ID and 0 <= cmdid <= MAX_ID and (modid or cmdid):
        return ModuleId(modid, cmdid)
    if modid == cmdid == 0:
        raise InvalidRoute("module (0, 0) does not exist: its messages would be empty; choose other ids")
    name, value = ("cmdid", cmdid) if 0 <= modid <= MAX_ID else ("modid", modid)
    raise InvalidRoute(f"{name} {value} is out of range: use 0 to {MAX_ID}")


def shard_of(module: ModuleId, shards: int) -> int:
    """The agent's shard that serves a module (docs/design/agent.md, shards)."""
    return (module.modid + module.cmdid) % shards
