"""The IPv4 address by which reports name this machine (docs/design/agent.md, reports)."""

import socket
from ipaddress import IPv6Address as Address6

from twisted.internet.address import IPv4Address, IPv6Address

from lars.route import parse_ip

ELSEWHERE = ("203.0.113.1", 9)
"""An address of no machine (TEST-NET-3, RFC 5737): whatever is on no network of this machine."""


def caller_on(local: object) -> int:
    """An IPv4 address of this machine as a number, given its end of a connection; 0 if it has none.

    Over IPv6 it is the address from which this machine would send to another network. Nothing is sent.
    """
    if isinstance(local, IPv4Address):
        return parse_ip(local.host)
    if not isinstance(local, IPv6Address):
        return 0
    address = Address6(local.host.partition("%")[0])
    if address.ipv4_mapped:
        return int(address.ipv4_mapped)
    if address.is_loopback:
        return parse_ip("127.0.0.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(ELSEWHERE)
        except OSError:
            return 0
        return parse_ip(probe.getsockname()[0])
