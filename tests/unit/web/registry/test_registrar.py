"""Hosts that register themselves: written in batches, kept while they renew, and forgiven after a stall."""

from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.clock import DatabaseClock
from lars.db.engine import DatabaseAway
from lars.db.leases import Batch, Expired, ExpiryPolicy, Look, Registration, Silence, Stored
from lars.web.registry.registrar import GATHER, LATE, SLOW, STEP, TICK, Outcome, Registrar, Removal
from lars.web.settings import WebSettings
from tests.unit.web.fleet import A, B, C, M

LEASE = Registration(30, "api:lea/scaler")


class FakeLeases:
    """Takes batches; `silent` hosts are judged at each search, of which the listening times are kept."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.jump = 0.0
        self.shortened = 0
        self.batches: list[Batch] = []
        self.heard_for: list[float] = []
        self.silent: tuple[Silence, ...] = ()
        self.refused: frozenset[Any] = frozenset()
        self.error: Exception | None = None
        self.search_error: Exception | None = None
        self.gate: Deferred[None] | None = None

    async def store(self, batch: Batch) -> Stored:
        if self.error is not None:
            raise self.error
        if self.gate is not None:
            await self.gate
        self.batches.append(batch)
        return Stored(len(self.batches), frozenset(batch.put) - self.refused, self.refused)

    async def look(self, _margin: float) -> Look:
        if self.search_error is not None:
            raise self.search_error
        return Look(1_700_000_000 + self.clock.seconds() + self.jump, False)

    async def shorten(self) -> None:
        self.shortened += 1

    async def expire(
        self, _now: float, _margin: float, heard_for: float, _period: float, judge: ExpiryPolicy
    ) -> Expired:
        self.heard_for.append(heard_for)
        left = {silence.module: len(judge(silence)) for silence in self.silent}
        kept = {silence.module: len(silence.silent) - left[silence.module] for silence in self.silent}
        return Expired({m: n for m, n in left.items() if n}, {m: n for m, n in kept.items() if n})


class RegistrarTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.store = FakeLeases(self.clock)
        self.database_clock = DatabaseClock(None, self.clock, lambda: 1_700_000_020 + self.clock.seconds())
        self.registrar = Registrar(cast(Any, self.store), WebSettings(), self.clock, self.database_clock)
        self.registrar.start()

    def put(self, *hosts: Any) -> "Deferred[list[Outcome]]":
        return gatherResults([Deferred.fromCoroutine(self.registrar.put((M, host), LEASE)) for host in hosts])

    def test_registrations_at_once_share_a_version(self) -> None:
        outcomes = self.put(A, B)
        self.assertNoResult(outcomes)
        self.clock.advance(GATHER)
        self.assertEqual(self.successResultOf(outcomes), [Outcome(1, new=True)] * 2)
        self.assertEqual(len(self.store.batches), 1)

    def test_renewal_does_not_wait_and_is_written_at_the_next_tick(self) -> None:
        self.put(A)
        self.clock.advance(GATHER)
        self.assertEqual(self.successResultOf(self.put(A)), [Outcome(0)])
        self.assertEqual(len(self.store.batches), 1)
        self.clock.advance(TICK)
        self.assertEqual(dict(self.store.batches[1].put), {(M, A): LEASE})
        self.assertEqual((self.registrar.registrations, self.registrar.renewals), (1, 1))

    def test_refused_connection_gives_every_host_its_ttl_again(self) -> None:
        self.clock.pump([TICK] * 9)
        self.registrar.unreachable()
        self.clock.advance(TICK)
        self.assertEqual((self.store.heard_for[-2] > 8 * TICK, self.store.heard_for[-1]), (True, TICK))

    def test_removal_after_a_renewal_wins(self) -> None:
        self.put(A)
        self.clock.advance(GATHER)
        self.put(A)
        removed = Deferred.fromCoroutine(self.registrar.take((M, A), Removal("api:lea/scaler")))
        self.clock.advance(GATHER)
        self.successResultOf(removed)
        self.assertEqual((self.store.batches[1].put, dict(self.store.batches[1].taken)), ({}, {(M, A): LEASE.owner}))

    def test_refused_host_is_reported(self) -> None:
        self.store.refused = frozenset([(M, A)])
        outcomes = self.put(A)
        self.clock.advance(GATHER)
        self.assertEqual(self.successResultOf(outcomes), [Outcome(1, refused=True)])

    def test_failed_write_fails_registrations_and_keeps_renewals(self) -> None:
        self.put(A)
        self.clock.advance(GATHER)
        self.put(A)
        self.store.error = DatabaseAway("away")
        outcome = Deferred.fromCoroutine(self.registrar.put((M, B), LEASE))
        self.clock.advance(GATHER)
        self.failureResultOf(outcome, DatabaseAway)
        self.store.error = None
        self.clock.advance(TICK)
        self.assertEqual(dict(self.store.batches[1].put), {(M, A): LEASE})

    def test_few_silent_hosts_leave_and_most_are_kept(self) -> None:
        self.store.silent = (Silence(M, 4, (A,)),)
        self.clock.advance(TICK)
        self.assertEqual((self.registrar.expired, self.registrar.kept), (1, 0))
        self.store.silent = (Silence(M, 0, (A, B, C), left_lately=1),)
        self.clock.advance(TICK)
        self.assertEqual((self.registrar.expired, self.registrar.kept), (2, 2))

    def test_silence_counts_anew_after_a_stall_or_a_jump_of_the_clock(self) -> None:
        self.clock.pump([TICK] * 3)
        self.assertEqual(self.store.heard_for, [1, 2, 3])
        self.clock.advance(TICK + LATE + 1)
        self.clock.advance(TICK)
        self.assertEqual(self.store.heard_for[3:], [0, 1])
        self.assertEqual(self.store.shortened, 1)
        for step in (3600.0, -3600.0, STEP + 0.1):
            self.store.jump += step
            self.clock.advance(TICK)
        self.assertEqual(self.store.heard_for[5:], [0, 0, 0])
        self.assertEqual(self.store.shortened, 4)

    def test_clock_of_this_machine_does_not_matter_and_its_skew_is_known(self) -> None:
        self.clock.pump([TICK] * 3)
        self.assertEqual(self.store.heard_for, [1, 2, 3])
        self.assertEqual(self.database_clock.skew, 20)

    def test_slow_write_lets_no_host_expire(self) -> None:
        self.put(A)
        self.clock.advance(GATHER)
        self.put(A)
        self.store.gate = Deferred()
        self.clock.advance(TICK)
        self.clock.advance(SLOW + 0.1)
        self.store.gate.callback(None)
        self.assertEqual(self.store.heard_for, [])

    def test_database_that_is_away_is_the_fault_until_it_is_back(self) -> None:
        self.store.search_error = DatabaseAway("no database")
        self.clock.advance(TICK)
        self.assertEqual(self.registrar.fault, "no database")
        self.store.search_error = None
        self.clock.advance(TICK)
        self.assertEqual(self.registrar.fault, "")

    def test_stop_writes_what_is_pending(self) -> None:
        outcomes = self.put(A)
        self.successResultOf(Deferred.fromCoroutine(self.registrar.stop()))
        self.assertEqual(self.successResultOf(outcomes), [Outcome(1, new=True)])
        self.assertEqual(self.clock.getDelayedCalls(), [])
