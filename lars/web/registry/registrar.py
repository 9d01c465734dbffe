"""Hosts that register themselves: written in batches, kept while they renew, removed when they do not."""

from dataclasses import dataclass

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from lars.db.clock import DatabaseClock
from lars.db.clock_steps import ClockSteps
from lars.db.engine import DatabaseAway, DatabaseError
from lars.db.leases import Batch, Expired, LeaseStore, Look, Place, Registration, Silence
from lars.route import HostAddress
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic
from lars.web.registry.leases import leaving
from lars.web.settings import WebSettings

_log = Logger()

GATHER = 0.1
"""Seconds for which registrations are gathered into one version (docs/design/web.md, self-registration)."""

TICK = 1.0
"""Seconds between writes of renewals, and between searches for silent hosts."""

MARGIN = 2.5
"""Seconds after which another lars-web has written the renewals that it received."""

LATE = 5.0
"""Seconds: if the timer is this late, renewals may have been missed."""

STEP = 0.5
"""Seconds: if the database's clock is set by more, leases seem to end before their time. MARGIN - TICK - SLOW is
left for less."""

SLOW = 1.0
"""Seconds: after a longer write no host expires, since newer renewals wait. Less than MARGIN - TICK."""

MAX_WAITING = 100_000
"""Hosts that may wait for the database; more are refused."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A wish to take a host out of its route; `owner` is its actor in the audit.

    With `only_of`, the name of a user, it takes only a host that a token of this user has registered.
    """

    owner: str
    only_of: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one registration: the route version, or 0 for a renewal, which is written later.

    `refused`: the module is full. `foreign`: the host is not of the user to whose hosts the wish is limited.
    """

    version: int
    new: bool = False
    refused: bool = False
    foreign: bool = False


class Registrar:
    """Takes registrations, renewals and removals (docs/design/web.md, self-registration).

    `clock` gets each read of the database's clock.
    """

    def __init__(self, store: LeaseStore, settings: WebSettings, reactor: IReactorTime, clock: DatabaseClock) -> None:
        self._store = store
        self._ratio = settings.preserve_ratio
        self._period = settings.preserve_time
        self._reactor = reactor
        self._clock = clock
        self._steps = ClockSteps()
        self._too_long = True
        self._limit = LogLimit(reactor.seconds)
        self._pending: dict[Place, Registration | Removal] = {}
        self._waiting: list[tuple[Place, Deferred[Outcome]]] = []
        self._known: dict[Place, Registration] = {}
        self._gathering: IDelayedCall | None = None
        self._one_write = DeferredLock()
        self._ticking = Periodic("search for silent hosts", TICK, self._tick, reactor)
        self._heard_since = reactor.seconds()
        self._last_tick = reactor.seconds()
        self.renewals = 0
        self.registrations = 0
        self.expired = 0
        self.kept = 0
        """Silent hosts that are kept in their routes now."""
        self.fault = ""
        """Why the database could not be used at the last tick; empty if it could."""

    def start(self) -> None:
        """Silence counts from now on."""
        self._heard_since = self._reactor.seconds()
        self._last_tick = self._reactor.seconds()
        self._ticking.start()

    async def stop(self) -> None:
        """Writes what is pending; returns when it is written."""
        ended = self._ticking.stop()
        if self._gathering is not None and self._gathering.active():
            self._gathering.cancel()
        await ended
        await self._flush()

    async def put(self, place: Place, registration: Registration) -> Outcome:
        """Puts a host into its route, or renews its lease, which does not wait. Raises DatabaseError."""
        if self._known.get(place) == registration and not isinstance(self._pending.get(place), Removal):
            self._pending[place] = registration
            self.renewals += 1
            return Outcome(0)
        self.registrations += 1
        return await self._request(place, registration)

    async def take(self, place: Place, removal: Removal) -> Outcome:
        """Takes a host out of its route. Raises DatabaseError."""
        return await self._request(place, removal)

    def unreachable(self) -> None:
        """Someone could not connect, perhaps to renew: no host leaves before its ttl has passed again."""
        self._missed("connections were refused, since all places were taken", "")

    async def _request(self, place: Place, wish: Registration | Removal) -> Outcome:
        if len(self._pending) >= MAX_WAITING and place not in self._pending:
            raise DatabaseAway("too many registrations wait for the database: try again in a few seconds")
        waiting = self._pending.get(place)
        if wish.only_of and waiting is not None and waiting.only_of != wish.only_of:
            raise DatabaseAway("another edit of this host is being written: try again in a few seconds")
        done: Deferred[Outcome] = Deferred()
        self._pending[place] = wish
        self._waiting.append((place, done))
        if self._gathering is None:
            self._gathering = self._reactor.callLater(GATHER, self._write_gathered)
        return await done

    def _write_gathered(self) -> None:
        self._gathering = None
        Deferred.fromCoroutine(self._flush()).addErrback(
            lambda failure: _log.failure("registrations cannot be stored", failure)
        )

    async def _flush(self) -> None:
        """Writes all that is pending, once no other write is under way."""
        await self._one_write.acquire()
        try:
            if self._pending:
                pending, self._pending = self._pending, {}
                waiting, self._waiting = self._waiting, []
                await self._write(pending, waiting)
        finally:
            self._one_write.release()

    async def _write(
        self, pending: dict[Place, Registration | Removal], waiting: list[tuple[Place, Deferred[Outcome]]]
    ) -> None:
        put = {place: wish for place, wish in pending.items() if isinstance(wish, Registration)}
        removals = {place: wish for place, wish in pending.items() if isinstance(wish, Removal)}
        taken = {place: removal.owner for place, removal in removals.items()}
        only_of = {place: removal.only_of for place, removal in removals.items() if removal.only_of}
        try:
            stored = await self._store.store(Batch(put, taken, only_of))
        except DatabaseError as error:
            answered = {place for place, _done in waiting}
            for place, wish in put.items():
                if place not in answered:
                    self._pending.setdefault(place, wish)
            self._missed("the database does not store renewals", str(error))
            for _place, done in waiting:
                if not done.called:
                    done.errback(error)
            return
        for place, registration in put.items():
            if registration.ttl and place not in stored.refused | stored.foreign:
                self._known[place] = registration
            else:
                self._known.pop(place, None)
        for place in taken:
            self._known.pop(place, None)
        for place, done in waiting:
            if not done.called:
                left = place in stored.refused, place in stored.foreign
                done.callback(Outcome(stored.version, place in stored.new, *left))

    async def _tick(self) -> None:
        now = self._reactor.seconds()
        passed, self._last_tick = now - self._last_tick, now
        if passed > TICK + LATE:
            self._missed("this process was stopped", "")
        try:
            await self._flush()
            if self._reactor.seconds() - now > SLOW:
                self._missed("the database was slow to store renewals", "")
            else:
                await self._expire()
            self.fault = ""
        except DatabaseError as error:
            self.fault = str(error)
            self._missed("the database cannot be asked for silent hosts", str(error))

    async def _expire(self) -> None:
        look = await self._look()
        now = self._reactor.seconds()

        def expiring(silence: Silence) -> frozenset[HostAddress]:
            return leaving(silence, self._ratio)

        expired = Expired({}, {})
        if not look.quiet:
            expired = await self._store.expire(look.now, MARGIN, now - self._heard_since, self._period, expiring)
        for module, count in expired.left.items():
            _log.info(
                "hosts of module {module} that no longer renew and leave it: {count}", count=count, module=str(module)
            )
        self.expired += sum(expired.left.values())
        if expired.kept and not self.kept:
            names = ", ".join(map(str, sorted(expired.kept)))
            _log.warn("most hosts no longer renew in {modules}: the last are kept, alarms are raised", modules=names)
        self.kept = sum(expired.kept.values())
        if expired.left:
            self._known = {place: r for place, r in self._known.items() if place[0] not in expired.left}

    async def _look(self) -> Look:
        """Looks for silent hosts; if the database's clock was set, leases are judged by the new time from now on."""
        asked = self._reactor.seconds()
        look = await self._store.look(MARGIN)
        answered = self._reactor.seconds()
        self._clock.observe(look.now, asked, answered)
        step = self._steps.observe(look.now, asked, answered)
        if abs(step) > STEP:
            self._missed(f"the database's clock was set by {step:+.0f} s, or this machine was suspended", "")
            self._too_long = True
        if self._too_long:
            await self._store.shorten()
            self._too_long = False
        return look

    def _missed(self, what: str, reason: str) -> None:
        """Renewals may have been missed: silence counts anew from now."""
        self._heard_since = self._reactor.seconds()
        if self._limit.admit(what):
            _log.warn("{what}: no host expires before its ttl has passed again. {reason}", what=what, reason=reason)
