"""What stands before lars-web: the address for browsers, and proxies, with what they say of a request; pure.

Proxies say whom a request comes from by the Forwarded field (RFC 7239) or by X-Forwarded-For and X-Forwarded-Proto,
and which path leads to lars-web by X-Forwarded-Prefix.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from lars.web.settings import Network

Header = Callable[[str], Sequence[str]]
"""The values of a field of the request, by its name."""

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+){1,16}")
_TOKEN = r"[\w!#$%&'*+.^`|~-]+"
_PAIR = re.compile(rf'\s*({_TOKEN})=([^",;\s]+|"(?:[^"\\]|\\.)*")\s*(;|,|$)', re.ASCII)
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\w+)?|([0-9.]+)(?::\w+)?|([0-9A-Fa-f:.]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from.

    `address` is the client's, empty if it has none; `https` whether the browser's connection is secure; `prefix` the
    path at which browsers find the console, such as "/lars", empty if it is "/".
    """

    address: str
    https: bool
    prefix: str


@dataclass(frozen=True, slots=True)
class _Hop:
    """What one proxy says of its client; `proto` is empty if it does not say."""

    node: str
    proto: str


class Front:
    """The front of one lars-web (docs/design/web.md, proxies).

    Args:
        url: the address for browsers, empty if it is that of lars-web itself.
        proxies: the networks whose proxies are believed.
        user_header: the header in which they name a user whom they have signed in; empty: none.
    """

    def __init__(self, url: str, proxies: Sequence[Network], user_header: str = "") -> None:
        self._user_header = user_header
        self._https = url.startswith("https://")
        self._prefix = urlsplit(url).path.rstrip("/")
        self._proxies = tuple(proxies)

    def trusts(self, address: str) -> bool:
        """Whether a peer is a proxy that is believed; a peer without an address is at a UNIX socket, thus local."""
        if not address or not self._proxies:
            return bool(self._proxies)
        found = _ip(address)
        return found is not None and any(found in network for network in self._proxies)

    def user(self, peer: str, header: Header) -> str:
        """The user whom the proxy at `peer` names; empty if it names none, or is not believed."""
        named = header(self._user_header) if self._user_header and self.trusts(peer) else ()
        return named[0].strip() if len(named) == 1 else ""

    def forges_user(self, peer: str, header: Header) -> bool:
        """Whether a request names a user and must not: its peer is no trusted proxy, or it names several."""
        named = header(self._user_header) if self._user_header else ()
        return bool(named) and (len(named) > 1 or not self.trusts(peer))

    def origin(self, peer: str, https: bool, header: Header) -> Origin:
        """Where a request comes from whose connection is that of `peer`."""
        prefix = self._prefix
        if self.trusts(peer):
            found = self._client(peer, _hops(header))
            peer, https = found.node, found.proto == "https" if found.proto else https
            said = ",".join(header("X-Forwarded-Prefix")).strip().rstrip("/")
            prefix = said if _PREFIX.fullmatch(said) else prefix
        return Origin(peer, https or self._https, prefix)

    def _client(self, peer: str, hops: Sequence[_Hop]) -> _Hop:
        """The client, as the last of the trusted proxies on the way to it has seen it."""
        client = _Hop(peer, "")
        for hop in reversed(hops):
            if not self.trusts(client.node):
                break
            address = _ip(hop.node)
            client = _Hop(str(address) if address else client.node, hop.proto or client.proto)
            if address is None:
                break
        return client


def without_prefix(target: bytes, prefix: str) -> bytes:
    """The target of a request without the prefix, whether or not a proxy has taken it away already."""
    path, mark, query = target.partition(b"?")
    start = prefix.encode("ascii")
    if start and (path == start or path.startswith(start + b"/")):
        path = path[len(start) :] or b"/"
    return path + mark + query


def _hops(header: Header) -> Sequence[_Hop]:
    """The hops from the client on; none if the fields are malformed or contradict each other.

    A proxy that writes one kind of field passes on whatever a client writes into the other.
    """
    forwarded, x_forwarded = _forwarded(",".join(header("Forwarded"))), _x_forwarded(header)
    if forwarded is None or (forwarded and x_forwarded and _nodes(forwarded) != _nodes(x_forwarded)):
        return ()
    return forwarded or x_forwarded


def _nodes(hops: Sequence[_Hop]) -> list[IPv4Address | IPv6Address | None]:
    return [_ip(hop.node) for hop in hops]


def _forwarded(text: str) -> Sequence[_Hop] | None:
    """The hops of a Forwarded field (RFC 7239, 4); None if it is malformed."""
    hops: list[_Hop] = []
    place, pairs = 0, dict[str, str]()
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None:
            return None
        name, value, end = pair.groups()
        pairs[name.lower()] = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
        if end != ";":
            hops.append(_Hop(pairs.get("for", ""), pairs.get("proto", "").lower()))
            pairs = {}
        place = pair.end()
    return hops


def _x_forwarded(header: Header) -> Sequence[_Hop]:
    nodes = _list(header("X-Forwarded-For"))
    protos = _list(header("X-Forwarded-Proto")) or [""]
    first = len(protos) - len(nodes)
    return [_Hop(node, protos[max(0, first + n)].lower()) for n, node in enumerate(nodes)]


def _list(values: Sequence[str]) -> list[str]:
    return [part.strip() for value in values for part in value.split(",") if part.strip()]


def _ip(node: str) -> IPv4Address | IPv6Address | None:
    """The address of a node, with or without a port; None for one that is unknown or hidden (RFC 7239, 6)."""
    match = _NODE.fullmatch(node.strip())
    try:
        found = ip_address(next(filter(None, match.groups()))) if match else None
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
