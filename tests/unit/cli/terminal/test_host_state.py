"""The words for a host's state."""

from datetime import UTC, datetime

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.host_state import STATE_STYLE, drain_state, host_state, routed_state
from lars.host_record import Drain, HostChange, HostRecord


class HostStateTests(SynchronousTestCase):
    def test_host_is_healthy_or_ejected(self) -> None:
        self.assertEqual([host_state(ejected) for ejected in (False, True)], ["healthy", "ejected"])

    def test_each_state_has_a_style_of_its_own(self) -> None:
        self.assertNotEqual(STATE_STYLE[host_state(False)], STATE_STYLE[host_state(True)])


class DrainTests(SynchronousTestCase):
    now = datetime(2026, 11, 25, 13, 0, tzinfo=UTC)

    def text(self, seconds: int, reason: str = "") -> str:
        until = int(self.now.timestamp()) + seconds if seconds else 0
        return drain_state(Drain(until, reason), self.now)

    def test_a_drain_has_its_end_and_reason(self) -> None:
        self.assertEqual(self.text(3600, "kernel update"), "draining until 14:00: kernel update")
        self.assertEqual(self.text(86_400), "draining until 2026-11-26 13:00")
        self.assertEqual(self.text(0, "new disk"), "draining: new disk")
        self.assertEqual(self.text(0), "draining")

    def test_a_host_is_active_draining_or_without_weight(self) -> None:
        draining = HostChange(drain=Drain(0, "new disk")).applied(HostRecord(50))
        records = (HostRecord(), draining, HostRecord(0))
        self.assertEqual(
            [routed_state(record, self.now) for record in records], ["active", "draining: new disk", "drained"]
        )
