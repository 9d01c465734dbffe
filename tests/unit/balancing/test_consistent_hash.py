"""Consistent hashing: a key has one host, few keys move, and no host gets far more than its share at once."""

import random
from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from lars.balancing.consistent_hash import ConsistentHash, maglev_table
from lars.balancing.host import Host
from lars.balancing.record import Record
from lars.route import HostAddress


def records_of(*weights: float) -> list[Record[Host]]:
    records = [Record(Host(HostAddress(0x0A000001 + n, 80)), 0.0) for n in range(len(weights))]
    for record, weight in zip(records, weights, strict=True):
        record.weight = weight
    return records


def picker_of(records: list[Record[Host]], seed: int = 1) -> ConsistentHash[Host]:
    picker: ConsistentHash[Host] = ConsistentHash(random.Random(seed))
    picker.rebuild(records)
    return picker


class TableTests(SynchronousTestCase):
    def test_every_place_has_a_host_and_shares_are_those_of_the_weights(self) -> None:
        table = maglev_table(["a", "b", "c"], [2.0, 1.0, 1.0], 1009)
        shares = Counter(table)
        for number, share in enumerate((0.5, 0.25, 0.25)):
            self.assertLess(abs(shares[number] / 1009 - share), 0.01)

    def test_few_places_change_when_a_host_leaves(self) -> None:
        names = [f"10.0.0.{n}:80" for n in range(10)]
        before = [names[n] for n in maglev_table(names, [1.0] * 10, 10_007)]
        rest = names[:-1]
        after = [rest[n] for n in maglev_table(rest, [1.0] * 9, 10_007)]
        moved = sum(old != new for old, new in zip(before, after, strict=True) if old != names[-1])
        self.assertLess(moved / 10_007, 0.1)


class ConsistentHashTests(SynchronousTestCase):
    def test_key_has_the_same_host_at_every_agent(self) -> None:
        records = records_of(1, 1, 1, 1, 1)
        one, other = picker_of(records, 1), picker_of(records[::-1], 2)
        for key in range(1, 300):
            self.assertIs(one.pick(key), other.pick(key))

    def test_calls_without_a_key_go_everywhere(self) -> None:
        picker = picker_of(records_of(1, 1, 1))
        self.assertEqual(len({picker.pick(0).host for _ in range(200)}), 3)

    def test_load_of_one_key_is_bounded(self) -> None:
        records = records_of(1, 1, 1, 1)
        picker = picker_of(records)
        for _ in range(100):
            picker.pick(7).in_flight += 1
        self.assertLessEqual(max(record.in_flight for record in records), 1.25 * 100 / 4 + 2)

    def test_one_host_takes_all(self) -> None:
        records = records_of(1)
        picker = picker_of(records)
        for key in range(100):
            record = picker.pick(key)
            record.in_flight += 1
            self.assertIs(record, records[0])
