"""Which hosts of a large module are shown, and in which order: pure."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lars.route import format_ip
from lars.web.live.host_stats import HostStats

STATES = ("ejected", "failing", "healthy", "silent", "draining", "drained")
"""What HostStats.state may be."""

_ORDERS: dict[str, Callable[[HostStats], Any]] = {
    "host": lambda h: h.host,
    "weight": lambda h: h.record.weight,
    "zone": lambda h: h.record.zone,
    "calls": lambda h: h.calls,
    "rate": lambda h: h.err / h.calls if h.calls else 0.0,
    "report": lambda h: h.last_report,
}

ORDERS = tuple(_ORDERS)
"""What hosts can be sorted by; those of one value are sorted by address."""


@dataclass(frozen=True, slots=True)
class HostSearch:
    """A search for hosts of one module.

    Attributes:
        text: words that must all fit: a network (10.0.0.0/24), a part of the address, the zone, a tag, or a part of
            the note.
        state: one of STATES, or empty for all.
        sort: one of ORDERS.
        descending: whether the highest comes first.
    """

    text: str = ""
    state: str = ""
    sort: str = "host"
    descending: bool = False

    def of(self, hosts: Sequence[HostStats]) -> list[HostStats]:
        """The hosts of the route that it finds, in its order."""
        words = [_fits(word) for word in self.text.split()]
        found = [h for h in hosts if h.in_route and self.state in ("", h.state) and all(fits(h) for fits in words)]
        return sorted(sorted(found, key=lambda h: h.host), key=_ORDERS[self.sort], reverse=self.descending)


def _fits(word: str) -> Callable[[HostStats], bool]:
    if "/" in word:
        try:
            network = ipaddress.IPv4Network(word, strict=False)
        except ValueError:
            pass
        else:
            first, last = int(network.network_address), int(network.broadcast_address)
            return lambda h: first <= h.host.ip <= last
    word = word.lower()
    return lambda h: (
        word in f"{format_ip(h.host.ip)}:{h.host.port}"
        or word == h.record.zone
        or word in (tag.lower() for tag in h.record.tags)
        or word in h.record.note.lower()
    )
