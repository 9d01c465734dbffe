"""A long random life of a balancer, always the same: what it is asked and told, by the draws of one seed.

Only `random.random` is used, whose sequence Python promises to keep.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from lars.route import HostAddress

ADDRESSES = [HostAddress(0x0A000001 + n, 8080) for n in range(12)]


@dataclass(frozen=True, slots=True)
class Step:
    """`what` is "route", "pick", "report" or "sweep"; the other fields are what that one needs."""

    what: str
    now: float
    addresses: tuple[HostAddress, ...] = ()
    address: HostAddress | None = None
    failed: bool = False
    cost_ms: int = 0


def life(seed: int, steps: int) -> Iterator[Step]:
    """Hosts come, go, fail for a while, alone or all at once; time goes on by up to some seconds a step."""
    draw = random.Random(seed).random
    now, route, ill = 0.0, tuple(ADDRESSES[:5]), 0.05
    yield Step("route", now, addresses=route)
    for _ in range(steps):
        now += draw() ** 8 * 5
        what = draw()
        if what < 0.01:
            route = tuple(address for address in ADDRESSES if draw() < 0.4)
            yield Step("route", now, addresses=route)
        elif what < 0.03:
            yield Step("sweep", now)
        elif what < 0.04:
            ill = draw() ** 3
        elif what < 0.5 or not route:
            yield Step("pick", now)
        else:
            address = route[int(draw() * len(route))]
            failed = draw() < (ill if address.ip % 3 else ill**0.5)
            yield Step("report", now, address=address, failed=failed, cost_ms=int(draw() ** 6 * 3000))
