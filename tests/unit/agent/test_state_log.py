"""The log lines of ejected and restored hosts: their evidence, and their bound."""

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from lars.agent.module import RoutedHost
from lars.agent.state_log import LINES, StateLog
from lars.balancing.host import HostState, StateChange
from lars.route import parse_host
from tests.unit.agent.shard import Shard
from tests.unit.agent.test_route_state import M, asking


class StateLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.log = StateLog(self.clock.seconds)
        shard = Shard()
        shard.datagram(asking(), 0.0)
        self.host = RoutedHost(parse_host("10.0.0.5:80"), shard.modules[M])

    def lines(self, changes: int, state: HostState = HostState.EJECTED) -> list[str]:
        with capturedLogs() as events:
            for _ in range(changes):
                self.log.changed(M, StateChange(self.host, state, "failures in a row", "3 failed in a row"))
        return [formatEvent(event) for event in events]

    def test_line_names_module_host_reason_and_evidence(self) -> None:
        self.assertEqual(
            self.lines(1) + self.lines(1, HostState.HEALTHY),
            [
                "(1, 1) 10.0.0.5:80 ejected (failures in a row): 3 failed in a row",
                "(1, 1) 10.0.0.5:80 restored (failures in a row): 3 failed in a row",
            ],
        )

    def test_lines_a_minute_are_bounded_and_the_next_one_counts_the_rest(self) -> None:
        self.assertEqual(len(self.lines(500)), LINES)
        self.clock.advance(61)
        (line,) = self.lines(1)
        self.assertTrue(line.endswith(f"; {500 - LINES} more changes since the last line"), line)
        (line,) = self.lines(1)
        self.assertTrue(line.endswith("3 failed in a row"), line)
