"""The timer that ends drains, on a database in memory. With processes: tests/integration/web/test_drains.py."""

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from lars.db.engine import DatabaseAway
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.host_record import Drain, HostChange
from lars.web.drains import ENDER, TICK, DrainTimer
from tests.unit.db.memory import StoreCase
from tests.unit.web.fleet import A, B, M

NOW = 1_800_000_000


class FailingStore(RouteStore):
    """A store whose database is away as long as `away`."""

    away = False

    async def end_drains(self, actor: str, now: float | None = None) -> EditDone:
        if self.away:
            raise DatabaseAway("the database does not answer")
        return await super().end_drains(actor, now)


class DrainTimerTests(StoreCase):
    """A is drained for 60 s, B for good."""

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.store = FailingStore(self.database)
        self.database.set_clock(NOW)
        drains = {A: HostChange(drain=Drain(NOW + 60, "kernel update")), B: HostChange(drain=Drain())}
        edit = self.store.edit("ann", NOW, [RouteEdit(M, frozenset([A, B]), change=drains)])
        self.successResultOf(Deferred.fromCoroutine(edit))
        self.timer = self.started()

    def started(self) -> DrainTimer:
        timer = DrainTimer(self.store, self.clock)
        timer.start()
        self.addCleanup(timer.stop)
        return timer

    def weights(self) -> list[int]:
        return [weight for (weight,) in self.txn.all("SELECT weight FROM RouteData ORDER BY serverip")]

    def actors(self) -> list[str]:
        return [actor for (actor,) in self.txn.all("SELECT actor FROM RouteAudit ORDER BY id")]

    def test_a_drain_ends_by_the_database_s_clock_whatever_that_of_the_machine_says(self) -> None:
        self.clock.advance(TICK)
        self.database.set_clock(NOW + 59.9)
        self.clock.pump([TICK] * 100)
        self.assertEqual(self.weights(), [0, 0])
        self.database.set_clock(NOW + 60)
        self.clock.advance(TICK)
        self.assertEqual((self.weights(), self.actors(), self.timer.ended), ([100, 0], ["ann", ENDER], 1))

    def test_two_timers_end_it_once(self) -> None:
        self.started()
        self.database.set_clock(NOW + 61)
        self.clock.pump([TICK] * 3)
        self.assertEqual((self.weights(), self.actors()), ([100, 0], ["ann", ENDER]))

    def test_a_drain_that_was_over_before_the_start_ends_at_once(self) -> None:
        self.timer.stop()
        self.database.set_clock(NOW + 3600)
        self.assertEqual(self.started().ended, 1)

    def test_it_goes_on_when_the_database_is_back(self) -> None:
        self.database.set_clock(NOW + 60)
        self.store.away = True
        self.clock.pump([TICK] * 3)
        self.assertEqual((self.weights(), self.flushLoggedErrors()), ([0, 0], []))
        self.store.away = False
        self.clock.advance(TICK)
        self.assertEqual(self.weights(), [100, 0])

    def test_after_stop_nothing_is_left(self) -> None:
        self.successResultOf(self.timer.stop())
        self.assertEqual(self.clock.getDelayedCalls(), [])
