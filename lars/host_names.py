"""Addresses given as names, such as those of containers: looked up at the start, and by clients after a failure."""

import socket

from lars.errors import InvalidRoute
from lars.route import HostAddress, parse_host


def parse_place(text: str) -> HostAddress:
    """ "127.0.0.1:8888" or "agent:8888", of which the first IPv4 address is taken; waits for the resolver.

    Raises InvalidRoute, which says whether the name or the form is wrong.
    """
    name, colon, port = text.rpartition(":")
    if not colon or not name or not any(c.isalpha() for c in name) or any(c.isspace() for c in name):
        return parse_host(text)
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidRoute(f"{name!r} has no IPv4 address: {reason}") from None
    return parse_host(f"{found[0][4][0]}:{port}")
