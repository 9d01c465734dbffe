"""Networks of IP addresses, such as 10.0.0.0/8, and which of them an address is in. Pure."""

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from lars.errors import SettingsError

LOOPBACK = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""This machine, as its own processes address it."""

ORIGIN_BITS = 64
"""Leading bits of an IPv6 address that one customer has to itself (RFC 6177): the rest is free to choose."""


@dataclass(frozen=True, slots=True)
class Networks:
    """A set of addresses, as the networks that it is made of.

    Attributes:
        text: the networks as they were written.
    """

    text: str
    _networks: tuple[IPv4Network | IPv6Network, ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, host: object) -> bool:
        """Whether an address, as text, is in one of the networks; one that is no IP address is in none."""
        address = _address(host) if isinstance(host, str) else None
        return address is not None and any(address in network for network in self._networks)

    def __str__(self) -> str:
        return self.text


ANY = Networks("any", (IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
"""Every address."""

NONE = Networks("")
"""No address."""


def networks(text: str) -> Networks:
    """ "10.0.0.0/8, 192.168.1.7, fd00::/8": networks and single addresses, by commas, or any; empty means none.

    Raises SettingsError for what is neither, and for a network with bits set behind its prefix.
    """
    if text.strip() == ANY.text:
        return ANY
    found = []
    for item in text.split(",") if text.strip() else ():
        try:
            found.append(ip_network(item.strip()))
        except ValueError as error:
            raise SettingsError(
                f"{item.strip()!r} is no network ({error}): write one such as 10.0.0.0/8, or any"
            ) from None
    return Networks(", ".join(map(str, found)), tuple(found))


def is_loopback(host: str) -> bool:
    """Whether an address is one by which only this machine's processes reach each other."""
    address = _address(host)
    return address is not None and any(address in network for network in LOOPBACK)


@lru_cache(4096)
def origin(host: str) -> str:
    """Whom an address belongs to, for limits of a peer: an IPv4 address itself, of an IPv6 address its /64."""
    address = _address(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), ORIGIN_BITS), strict=False))
    return str(address or host)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address in a text; an IPv4 one that is mapped into IPv6 (RFC 4291, 2.5.5.2) as the IPv4 one that it is."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
