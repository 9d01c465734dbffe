"""Consistent hashing: calls with one key go to one host, and most keys keep their host when others come and go.

The table is that of Maglev (Eisenbud et al., NSDI 2016, section 3.4), weighted as Envoy's maglev_lb.cc does. Load is
bounded (Mirrokni, Thorup, Zadimoghaddam 2018): a host with more than its bound passes calls on to the next one.
"""

import random
from collections.abc import Sequence
from hashlib import blake2b

from lars.balancing.host import H
from lars.balancing.picker import Picker
from lars.balancing.record import Record

TABLE_SIZES = (1_009, 10_007, 65_537, 524_287)
"""Primes. The smallest that has SLOTS_PER_HOST places for each host is used, or the largest."""

SLOTS_PER_HOST = 100

BALANCE_FACTOR = 1.25
"""A host may have so many times its share of the calls in flight."""

_MIX = 0x9E3779B97F4A7C15
_MASK = 2**64 - 1


def mix(key: int) -> int:
    """Spreads a key over 64 bits (the finalizer of SplitMix64, Steele et al. 2014)."""
    key = (key + _MIX) & _MASK
    key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    key = (key ^ (key >> 27)) * 0x94D049BB133111EB & _MASK
    return key ^ (key >> 31)


def maglev_table(names: Sequence[str], weights: Sequence[float], size: int) -> list[int]:
    """For each place of a table of `size` (a prime), the number of the host that has it.

    Each host fills places in an order of its own, one a round; one with half of the largest weight every other round.
    """
    steps = []
    for name in names:
        digest = blake2b(name.encode(), digest_size=16).digest()
        offset = int.from_bytes(digest[:8], "little") % size
        skip = int.from_bytes(digest[8:], "little") % (size - 1) + 1
        steps.append([offset, skip])
    table = [-1] * size
    largest = max(weights)
    credit = [0.0] * len(names)
    filled = 0
    while True:
        for number, step in enumerate(steps):
            credit[number] += weights[number] / largest
            if credit[number] < 1:
                continue
            credit[number] -= 1
            place, skip = step
            while table[place] >= 0:
                place = (place + skip) % size
            table[place] = number
            step[0] = (place + skip) % size
            filled += 1
            if filled == size:
                return table


class ConsistentHash(Picker[H]):
    """The host of a key; calls without a key (0) go to a random one."""

    __slots__ = ("_hosts", "_in_flight", "_rng", "_share", "_table", "_until_sum")

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._hosts: Sequence[Record[H]] = ()
        self._table: list[int] = []
        self._share: list[float] = []
        self._in_flight = self._until_sum = 0

    def rebuild(self, eligible: Sequence[Record[H]]) -> None:
        # In the order of their addresses, so that every agent has the same table.
        self._hosts = sorted(eligible, key=lambda record: record.host.address)
        weights = [record.weight for record in self._hosts]
        size = next((each for each in TABLE_SIZES if each >= SLOTS_PER_HOST * len(weights)), TABLE_SIZES[-1])
        self._table = maglev_table([str(record.host.address) for record in self._hosts], weights, size)
        total = sum(weights)
        self._share = [weight / total for weight in weights]

    def pick(self, key: int) -> Record[H]:
        """The host of the key, or the next one in the table that is below its bound."""
        table, hosts = self._table, self._hosts
        place = mix(key or self._rng.getrandbits(64)) % len(table)
        number = table[place]
        if not self._until_sum:
            self._until_sum = len(hosts)  # so that the sum costs the same a call, however many hosts there are
            self._in_flight = sum(record.in_flight for record in hosts)
        self._until_sum -= 1
        in_flight = self._in_flight + 1
        for _ in range(len(hosts)):
            if hosts[number].in_flight < BALANCE_FACTOR * in_flight * self._share[number] + 1:
                return hosts[number]
            before = number
            while number == before and len(hosts) > 1:
                place = (place + 1) % len(table)
                number = table[place]
        return min(hosts, key=lambda record: record.in_flight * record.scale)
