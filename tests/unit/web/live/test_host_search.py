"""Hosts of a large module, found and sorted."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.host_record import HostRecord
from lars.route import HostAddress, parse_host
from lars.web.live.host_search import ORDERS, STATES, HostSearch
from lars.web.live.host_stats import HostStats

A, B, C = (parse_host(text) for text in ("10.0.0.9:80", "10.0.0.10:8080", "10.0.1.9:80"))


def host(address: HostAddress, calls: int = 0, err: int = 0, **facts: Any) -> HostStats:
    record = HostRecord(**facts.pop("record", {}))
    values = {"in_route": True, "state": "healthy", "callers": 1, "ejected_by": 0, "last_report": 0, "of": 0}
    return HostStats(host=address, calls=calls, err=err, record=record, **{**values, **facts})


class HostSearchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.hosts = [
            host(C, 100, 1, record={"weight": 50, "zone": "b"}),
            host(B, 10, 5, state="ejected", record={"zone": "a", "tags": ("SSD",)}, last_report=9),
            host(A, 0, 0, record={"zone": "a", "note": "Rack 7, new disk"}),
            host(parse_host("10.0.0.11:80"), in_route=False),
        ]

    def found(self, text: str = "", **search: Any) -> list[HostAddress]:
        return [one.host for one in HostSearch(text, **search).of(self.hosts)]

    def test_hosts_of_the_route_are_found_in_the_order_of_their_addresses(self) -> None:
        self.assertEqual(self.found(), [A, B, C])

    def test_each_word_narrows_it(self) -> None:
        for text, expected in {
            "10.0.0.0/24": [A, B],
            "10.0.1.9": [C],
            ":80": [A, B, C],
            ":8080": [B],
            "a": [A, B],
            "ssd": [B],
            "rack": [A],
            "a disk": [A],
            "10.0.0.0/24 b": [],
            "10.0.0.0/99": [],
        }.items():
            self.assertEqual(self.found(text), expected, text)

    def test_state_narrows_it(self) -> None:
        self.assertEqual(self.found(state="ejected"), [B])
        self.assertEqual([one for one in STATES if self.found(state=one)], ["ejected", "healthy"])

    def test_every_order_goes_both_ways(self) -> None:
        lowest_first = {
            "host": [A, B, C],
            "weight": [C, A, B],
            "zone": [A, B, C],
            "calls": [A, B, C],
            "rate": [A, C, B],
            "report": [A, C, B],
        }
        self.assertEqual(set(lowest_first), set(ORDERS))
        for sort, expected in lowest_first.items():
            self.assertEqual(self.found(sort=sort), expected, sort)
            self.assertEqual(
                self.found(sort=sort, descending=True)[0], {"weight": A, "zone": C}.get(sort, expected[-1])
            )
