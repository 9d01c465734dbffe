"""Tests of tests.drill.chaos.verdict."""

from twisted.trial.unittest import SynchronousTestCase

from tests.drill.calls import FAILED, Call
from tests.drill.chaos.schedule import Fault, Happened, Kind
from tests.drill.chaos.verdict import (
    GRACE,
    LOST_AFTER,
    LOST_BEFORE,
    Asked,
    calm_from,
    can_be_lost,
    reason,
)

ASKED = Asked("a", ["lars-agent-a2"])
BY_GATEWAY = Asked("a", ["lars-agent-a2", "lars-gateway-a"], by_gateway=True)
AGENT = "AgentUnavailable"


def happened(kind: Kind, target: str, began: float = 10, ended: float = 20) -> Happened:
    return Happened(Fault(0, 0, kind, target), began, ended)


def call(outcome: str, began: float = 15, zone: str = "b", host: str = "10.77.2.9") -> Call:
    return Call(began, began + 0.5, zone, host, outcome)


class ReasonTests(SynchronousTestCase):
    def explains(self, fault: Happened, outcome: str, began: float = 15, zone: str = "b", asked: Asked = ASKED) -> bool:
        other = happened(Kind.DISK, "a")
        found = reason(call(outcome, began, zone), asked, [other, fault])
        self.assertIn(found, [None, fault])
        return found is fault

    def test_failed_call_is_explained_by_its_host_or_link_alone(self) -> None:
        cases = {
            (Kind.KILL, "host-10.77.2.9"): True,
            (Kind.STOP, "host-10.77.2.9"): True,
            (Kind.KILL, "host-10.77.2.8"): False,
            (Kind.PARTITION, "a-b"): True,
            (Kind.WEATHER, "a-b"): True,
            (Kind.PARTITION, "a-c"): False,
            (Kind.CUT, "a"): True,
            (Kind.CUT, "b"): True,
            (Kind.CUT, "c"): False,
            (Kind.STOP, "lars-agent-a2"): False,
            (Kind.CLOCK, "a"): False,
            (Kind.DISK, "b"): False,
        }
        for (kind, target), wanted in cases.items():
            self.assertEqual(self.explains(happened(kind, target), FAILED), wanted, f"{kind} {target}")

    def test_link_explains_no_failure_within_a_zone(self) -> None:
        self.assertFalse(self.explains(happened(Kind.CUT, "a"), FAILED, zone="a"))

    def test_fault_explains_what_overlaps_it_and_a_little_more(self) -> None:
        fault = happened(Kind.PARTITION, "a-b")
        for began, wanted in ((9, False), (9.6, True), (20 + GRACE - 0.1, True), (20 + GRACE + 0.1, False)):
            self.assertEqual(self.explains(fault, FAILED, began), wanted, began)

    def test_gateway_finds_no_host_while_it_or_its_agent_is_away(self) -> None:
        for target, wanted in (("lars-agent-a2", True), ("lars-gateway-a", True), ("lars-agent-a3", False)):
            fault = happened(Kind.STOP, target)
            self.assertEqual(self.explains(fault, AGENT, asked=BY_GATEWAY), wanted, target)
            self.assertEqual(self.explains(fault, "GatewayAway", asked=BY_GATEWAY), wanted, target)
        self.assertFalse(self.explains(happened(Kind.CUT, "a"), AGENT, asked=BY_GATEWAY))

    def test_client_goes_on_by_saved_routes_so_nothing_explains_that_it_finds_no_host(self) -> None:
        self.assertFalse(self.explains(happened(Kind.STOP, "lars-agent-a2"), AGENT))

    def test_load_is_shed_only_after_faults_of_hosts_and_links(self) -> None:
        self.assertTrue(self.explains(happened(Kind.STOP, "host-10.77.2.8"), "Overloaded", 40))
        self.assertFalse(self.explains(happened(Kind.STOP, "host-10.77.2.8"), "Overloaded", 60))
        self.assertFalse(self.explains(happened(Kind.STOP, "lars-dns-a"), "Overloaded"))

    def test_nothing_explains_a_module_without_hosts(self) -> None:
        for kind in Kind:
            self.assertFalse(self.explains(happened(kind, "lars-agent-a2"), "NoSuchModule"))


class CalmFromTests(SynchronousTestCase):
    def test_is_at_once_without_faults(self) -> None:
        self.assertEqual(calm_from(100, 15, [happened(Kind.CUT, "a", 10, 20)]), 100)

    def test_is_the_end_of_faults_that_follow_too_closely(self) -> None:
        faults = [happened(Kind.CUT, "a", 110, 120), happened(Kind.STOP, "lars-dns-a", 130, 140)]
        self.assertEqual(calm_from(100, 15, faults), 140)
        self.assertEqual(calm_from(100, 5, faults), 100)

    def test_hosts_delay_no_edit(self) -> None:
        self.assertEqual(calm_from(100, 15, [happened(Kind.KILL, "host-10.77.1.9", 90, 130)]), 100)


class CanBeLostTests(SynchronousTestCase):
    KILL = happened(Kind.KILL, "lars-agent-a2", 100, 102)
    ENDS = [float(n) for n in range(200)]

    def test_calls_around_a_kill_where_all_before_is_committed(self) -> None:
        wanted = sum(100 - LOST_BEFORE <= end <= 102 + LOST_AFTER for end in self.ENDS)
        self.assertEqual(can_be_lost(self.KILL, self.ENDS, 101), wanted)
        self.assertEqual(can_be_lost(self.KILL, self.ENDS, 200), wanted)

    def test_calls_since_the_last_that_is_committed(self) -> None:
        wanted = sum(60 - LOST_BEFORE <= end <= 102 + LOST_AFTER for end in self.ENDS)
        self.assertEqual(can_be_lost(self.KILL, self.ENDS, 60), wanted)
