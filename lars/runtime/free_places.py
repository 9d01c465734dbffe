"""Sees before a service detaches from the terminal that it can listen, so that the terminal shows why it cannot."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twisted.internet.endpoints import serverFromString

from lars.errors import LarsError
from lars.runtime.listening import CannotListen
from lars.runtime.reactor import IReactor


@contextmanager
def ended_by_errors(name: str) -> Iterator[None]:
    """Ends the process with status 1 and one line, which begins with the service's name, at a LarsError."""
    try:
        yield
    except LarsError as error:
        raise SystemExit(f"{name}: {error}") from None


def require_free(reactor: IReactor, *places: str) -> None:
    """Raises CannotListen for a TCP place that is taken, or not of this machine.

    Another program may still take it before the service listens; then the log says the same.

    Args:
        reactor: reads the places.
        places: Twisted endpoint strings; empty ones, and those that are not TCP, are left out.
    """
    for place in filter(None, places):
        endpoint: Any = serverFromString(reactor, place)
        port, interface = getattr(endpoint, "_port", None), getattr(endpoint, "_interface", None)
        if not isinstance(port, int) or not isinstance(interface, str):
            continue
        family = socket.AF_INET6 if ":" in interface else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((interface, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CannotListen(
                f"cannot listen on {place}: {reason}; choose another place or stop what is there"
            ) from None
