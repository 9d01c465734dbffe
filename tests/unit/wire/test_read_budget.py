"""A turn of the reactor is shared: what it has no time for waits for the next, in order, and nobody starves."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.wire.factory import FEW
from lars.wire.read_budget import BUDGET, ReadBudget
from tests.unit.turns import Turns
from tests.unit.wire.connected import REQUEST, Connected


class Slow:
    """A connection that takes most of a turn to read."""

    def __init__(self, name: str, clock: Clock, seen: list[str]) -> None:
        self._name = name
        self._clock = clock
        self._seen = seen

    def resume_deferred(self) -> None:
        self._seen.append(self._name)
        self._clock.rightNow += BUDGET * 0.6


class ReadBudgetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Turns()
        self.turn = ReadBudget(self.clock)
        self.seen: list[str] = []

    def defer(self, name: str, is_new: bool = False) -> None:
        self.turn.defer(Slow(name, self.clock, self.seen), is_new)

    def test_turn_is_spent_after_its_time_and_fresh_again_after_it(self) -> None:
        self.assertFalse(self.turn.is_spent())
        self.clock.rightNow += BUDGET * 0.9
        self.assertFalse(self.turn.is_spent())
        self.clock.rightNow += BUDGET * 0.2
        self.assertTrue(self.turn.is_spent())
        self.clock.turn()
        self.assertFalse(self.turn.is_spent())

    def test_what_was_put_off_is_read_in_order_a_turns_worth_at_a_time(self) -> None:
        self.turn.is_spent()
        for name in "abcde":
            self.defer(name)
        self.assertEqual(self.seen, [])
        for seen in ("ab", "abcd", "abcde"):
            self.clock.turn()
            self.assertEqual("".join(self.seen), seen)

    def test_turn_that_reads_on_has_less_time_for_others(self) -> None:
        self.turn.is_spent()
        for name in "abc":
            self.defer(name)
        self.clock.turn()
        self.assertTrue(self.turn.is_spent())

    def test_known_connections_wait_behind_no_fleet_of_new_ones_and_starve_it_neither(self) -> None:
        self.turn.is_spent()
        for name in "ABCD":
            self.defer(name, is_new=True)
        for name in "ab":
            self.defer(name)
        while len(self.seen) < 6:
            self.clock.turn()
        self.assertEqual("".join(self.seen), "aAbBCD")

    def test_turn_without_work_asks_for_no_other(self) -> None:
        self.turn.is_spent()
        self.clock.turn()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SharedTurnTests(Connected):
    def test_bytes_that_a_turn_has_no_time_for_are_read_in_the_next_and_the_transport_is_paused_meanwhile(self) -> None:
        peers = [self.connect() for _ in range(FEW + 1)]
        (early, _), (late, transport) = peers[0], peers[-1]
        early.dataReceived(REQUEST)
        self.clock.rightNow += BUDGET * 1.1
        late.dataReceived(REQUEST)
        late.dataReceived(REQUEST)
        self.assertEqual((early.seen[1:], late.seen[1:]), ([(1, 2)], []))
        self.assertEqual(transport.producerState, "paused")
        self.clock.advance(0)
        self.assertEqual(late.seen[1:], [(1, 2), (1, 2)])
        self.assertEqual(transport.producerState, "producing")

    def test_turn_does_not_read_again_from_a_transport_that_is_paused_for_another_reason(self) -> None:
        peers = [self.connect() for _ in range(FEW + 1)]
        (early, _), (late, transport) = peers[0], peers[-1]
        early.dataReceived(REQUEST)
        self.clock.rightNow += BUDGET * 1.1
        late.dataReceived(REQUEST)
        late.pause_reading()
        self.clock.advance(0)
        self.assertEqual((late.seen[1:], transport.producerState), ([(1, 2)], "paused"))
        late.resume_reading()
        self.assertEqual(transport.producerState, "producing")

    def test_transport_with_bytes_put_off_stays_paused_until_they_are_read(self) -> None:
        peers = [self.connect() for _ in range(FEW + 1)]
        (early, _), (late, transport) = peers[0], peers[-1]
        early.dataReceived(REQUEST)
        self.clock.rightNow += BUDGET * 1.1
        late.pause_reading()
        late.dataReceived(REQUEST)
        late.resume_reading()
        self.assertEqual((late.seen[1:], transport.producerState), ([], "paused"))
        self.clock.advance(0)
        self.assertEqual((late.seen[1:], transport.producerState), ([(1, 2)], "producing"))

    def test_connection_lost_meanwhile_reads_nothing_more(self) -> None:
        peers = [self.connect() for _ in range(FEW + 1)]
        (early, _), (late, _transport) = peers[0], peers[-1]
        early.dataReceived(REQUEST)
        self.clock.rightNow += BUDGET * 1.1
        late.dataReceived(REQUEST)
        late.end()
        self.clock.advance(0)
        self.assertNotIn((1, 2), late.seen)

    def test_few_connections_are_read_whatever_the_turn(self) -> None:
        (early, _), (late, _transport) = self.connect(), self.connect()
        early.dataReceived(REQUEST)
        self.clock.rightNow += BUDGET * 1.1
        late.dataReceived(REQUEST)
        self.assertEqual(late.seen[1:], [(1, 2)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
