"""The drill of zones: one is cut off and comes back while processes in both make calls.

Modules N.1 have hosts in both zones and locality, so that calls stay in their zone. Modules N.2 have the same hosts
without locality, so that half of the calls go to the other zone. N is the number of the agent that is asked.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from bench.processes.waiting import until
from tests.drill.caller import TIMEOUT
from tests.drill.calls import FAILED, Call, between, settled_after, share
from tests.drill.connections import ConnectionCounts
from tests.drill.database import DatabaseNode
from tests.drill.fleet import Fleet
from tests.drill.network import Cut, Network
from tests.drill.outcome import Outcome
from tests.drill.services import DNS_PORT, REPORTER_PORT, Machine

ZONES = ("a", "b")
KEPT, SPREAD = 1, 2
"""The cmdids of modules with and without locality."""

HOSTS = 3
"""Hosts of a zone at first."""

BEFORE, CUT, AFTER = 4.0, 8.0, 3.0
"""Seconds of calls before the cut, during it, and after the shares are back."""

FAILURES = 8
"""Calls to a host that is cut off, at most: two in a row eject it, but not before both processes have had one."""

LEFT = 0.02
"""The share of calls, at most, that fails in the second half of the cut."""

RETURN = 30.0
"""Seconds after which shares are back, at most."""

BACK = 0.8
"""The part of its earlier share with which a zone is back."""

SERVER_CONNECTIONS = 4
"""Attempts to connect to lars-dns or lars-reporter in a second, at most: one of each agent."""

HOST_CONNECTIONS = 1.5
"""Attempts to connect to the hosts of the healed zone in a second, at most, as a multiple of those before the cut."""


@dataclass(frozen=True, slots=True)
class Times:
    """When phases began, in monotonic seconds."""

    begun: float
    cut: float
    healed: float
    ended: float


class ZonesDrill:
    """One run in a network of zones a, b and that of the database."""

    def __init__(self, folder: Path, kind: Cut) -> None:
        self._kind = kind
        self._network = Network(*ZONES, "witness")
        machines = {name: Machine(self._network.zones[name], folder, folder / name) for name in ZONES}
        for machine in machines.values():
            machine.disk.mkdir()
        self._fleet = Fleet(self._network, machines, DatabaseNode(self._network.zones["witness"]), folder)
        self._outcome = Outcome({"cut": kind.value})

    def run(self) -> Outcome:
        """Makes the run; what it found."""
        with self._fleet as fleet:
            self._begin()
            counts = ConnectionCounts(self._network.zones.values())
            times = self._cut_and_heal()
            fleet.end_callers()
            counts.close()
            for zone in ZONES:
                self._check_kept(zone, times)
                self._check_spread(zone, times)
            self._check_connections(counts, times)
            self._check_history()
        return self._outcome

    def _begin(self) -> None:
        """Starts everything: in each zone one agent prefers the servers of its zone, and one those of the other.

        Two processes call the module whose hosts are to be ejected, because none ejects a host alone
        (docs/design/balancing.md, ejection).
        """
        fleet = self._fleet
        pairs = [
            (fleet.add_agent(zone, zone, other), fleet.add_agent(zone, other, zone))
            for zone, other in (ZONES, ZONES[::-1])
        ]
        hosts = [fleet.add_host(zone) for zone in ZONES for _ in range(HOSTS)]
        fleet.up()
        fleet.add_routes([(agent.number, cmdid) for agent in fleet.agents for cmdid in (KEPT, SPREAD)], hosts)
        for own, other_first in pairs:
            fleet.add_caller(own, (own.number, SPREAD), "uncached")
            fleet.add_caller(own, (own.number, SPREAD), "cached")
            fleet.add_caller(own, (own.number, KEPT), "uncached")
            fleet.add_caller(other_first, (other_first.number, KEPT), "cached")
        until(lambda: all(fleet.calls_of(caller) for caller in fleet.callers), "the first calls", 20, 0.1)

    def _cut_and_heal(self) -> Times:
        fleet, figures = self._fleet, self._outcome.figures
        begun = time.monotonic()
        _pass_until(begun + BEFORE)
        self._network.cut("b", self._kind)
        cut = time.monotonic()
        added = {zone: fleet.add_host(zone) for zone in ZONES}
        fleet.add_routes([(agent.number, KEPT) for agent in fleet.agents], added.values())
        figures["calls to a host added during the cut, zone a, s after the edit"] = self._called(added["a"], "a")
        _pass_until(cut + CUT)
        self._network.heal()
        healed = time.monotonic()
        figures["calls to a host added during the cut, zone b, s after healing"] = self._called(added["b"], "b")
        until(lambda: self._is_back(begun, cut) or time.monotonic() > healed + RETURN, "the shares", 2 * RETURN, 0.2)
        _pass_until(time.monotonic() + AFTER)
        return Times(begun, cut, healed, time.monotonic())

    def _called(self, host: str, zone: str) -> float:
        """Waits until a host is called from a zone; for how long."""
        begin = time.monotonic()
        address = host.partition(":")[0]
        until(
            lambda: any(call.host == address for call in self._fleet.calls(zone, KEPT)), f"calls to {host}", RETURN, 0.1
        )
        return round(time.monotonic() - begin, 1)

    def _is_back(self, begun: float, cut: float) -> bool:
        now = time.monotonic()
        for zone, other in (ZONES, ZONES[::-1]):
            calls = self._fleet.calls(zone, SPREAD)
            wanted = BACK * share(between(calls, begun, cut - TIMEOUT), other)
            if share(between(calls, now - 2, now), other) < wanted:
                return False
        return True

    def _check_kept(self, zone: str, times: Times) -> None:
        """Calls that stay in their zone: nothing happens to them."""
        calls = self._fleet.calls(zone, KEPT)
        failed = sum(call.outcome == FAILED for call in calls)
        own = share(calls, zone)
        self._outcome.figures[f"zone {zone}, with locality"] = {
            "calls": len(calls),
            "failed": failed,
            "own share": round(own, 3),
        }
        self._require_no_refusals(zone, calls)
        self._outcome.require(failed == 0, f"zone {zone}: {failed} calls that stay in the zone failed")
        self._outcome.require(own == 1, f"zone {zone}: only {own:.1%} of its calls stayed in it")

    def _check_spread(self, zone: str, times: Times) -> None:
        """Calls to both zones: they fail only until that can be known, and the other zone gets its share again."""
        other = ZONES[zone == ZONES[0]]
        calls = self._fleet.calls(zone, SPREAD)
        failed = [call for call in calls if call.outcome == FAILED]
        last = max((call.began for call in failed), default=times.cut) - times.cut
        before = share(between(calls, times.begun, times.cut - TIMEOUT), other)
        during = share(between(calls, times.cut + CUT / 2, times.healed - TIMEOUT), other)
        back = settled_after(calls, other, BACK * before, times.healed, times.ended)
        self._outcome.figures[f"zone {zone}, without locality"] = {
            "calls": len(calls),
            "failed": len(failed),
            "failed calls began up to, s after the cut": round(last, 2),
            f"share of zone {other} before": round(before, 3),
            "in the second half of the cut": round(during, 3),
            "after": round(share(between(calls, times.ended - AFTER, times.ended), other), 3),
            "back, s after healing": back,
        }
        self._require_no_refusals(zone, calls)
        require = self._outcome.require
        require(0.4 < before < 0.6, f"zone {zone}: zone {other} had {before:.1%} before the cut")
        astray = [call for call in failed if not times.cut <= call.ended <= times.healed + TIMEOUT]
        require(not astray, f"zone {zone}: {len(astray)} calls failed while nothing was cut")
        require(bool(failed), f"zone {zone}: no call failed, so nothing was cut")
        require(len(failed) <= FAILURES * HOSTS, f"zone {zone}: {len(failed)} calls failed, at {HOSTS} hosts")
        require(during <= LEFT, f"zone {zone}: zone {other} still got {during:.1%} in the second half of the cut")
        require(back is not None, f"zone {zone}: zone {other} did not get its share back within {RETURN:g} s")

    def _require_no_refusals(self, zone: str, calls: list[Call]) -> None:
        refusals = sorted({call.outcome for call in calls if call.refused})
        self._outcome.require(not refusals, f"zone {zone}: calls were refused: {', '.join(refusals)}")

    def _check_connections(self, counts: ConnectionCounts, times: Times) -> None:
        """No storm: what comes back asks no more of the servers and hosts than what was there."""
        for zone in ZONES:
            address = self._fleet.servers[zone].address
            for name, port in (("lars-dns", DNS_PORT), ("lars-reporter", REPORTER_PORT)):
                most = counts.most({(address, port)}, times.cut, times.ended)
                self._outcome.figures[f"new connections in a second at {name} {zone}, at most"] = most
                self._outcome.require(most <= SERVER_CONNECTIONS, f"{name} {zone}: {most} new connections in a second")
        places = self._fleet.host_places("b")
        before = counts.most(places, times.begun, times.cut - 1)
        after = counts.most(places, times.healed, times.ended)
        self._outcome.figures["new connections in a second at all hosts of zone b, at most"] = {
            "before the cut": before,
            "after healing": after,
        }
        self._outcome.require(
            after <= HOST_CONNECTIONS * before, f"hosts of b: {after} new connections in a second, before {before}"
        )

    def _check_history(self) -> None:
        reported = self._fleet.reported()

        total = sum(map(sum, reported.values()))
        until(lambda: sum(map(sum, self._fleet.history().values())) >= total, "the history to be complete", RETURN, 0.2)
        history = self._fleet.history()
        self._outcome.figures["calls in the history"] = sum(map(sum, history.values()))
        self._outcome.require(history == reported, f"the history has {history}, callers reported {reported}")


def _pass_until(moment: float) -> None:
    """Lets the fleet run until a monotonic time."""
    time.sleep(max(0.0, moment - time.monotonic()))
