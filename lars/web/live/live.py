"""Live data for pages: read once for all browsers, and only while one is open (docs/design/web.md, live data)."""

import json
from collections.abc import Callable, Collection, Coroutine
from typing import Any, NamedTuple

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.calls import CallStore, Minutes
from lars.db.engine import DatabaseError
from lars.db.fleet import FleetStore
from lars.db.host_states import HostStateStore, Watched
from lars.route import ModuleId
from lars.runtime.periodic import Periodic
from lars.web.live.cached_counts import CachedCounts
from lars.web.live.event_stream import EventStream, beat, event
from lars.web.live.host_stats import HostStats, calls_a_second, host_stats
from lars.web.live.payloads import Overview, fleet_payload, module_payload
from lars.web.spans import WINDOW

_log = Logger()

HOUR = 3600

PAUSE = 3
"""A read that takes a second is followed by this many without one: the database serves others too."""

LIFETIME = 300.0
"""Seconds after which a stream ends; the browser opens it again if it is still signed in."""

HEARTBEAT = 5.0
"""Seconds between beats of a stream, by which a browser knows how old its figures are, and proxies keep it open."""

CHECK = 15.0
"""Seconds after which a stream ends whose user has signed out elsewhere."""


class HostPage(NamedTuple):
    """A page of the hosts of a module, which a stream shows."""

    module: ModuleId
    number: int


Topic = HostPage | None
"""What a stream shows: None is the fleet."""


SignedIn = Callable[[Collection[str]], Coroutine[Any, Any, set[str]]]
"""Which of some secrets are those of open sessions; may raise DatabaseError."""


class Live:
    """Reads for pages, and streams what changes; `interval` is in seconds, `wall_clock` gives Unix seconds."""

    def __init__(
        self,
        calls: CallStore,
        fleet: FleetStore,
        states: HostStateStore,
        interval: float,
        reactor: IReactorTime,
        wall_clock: Callable[[], float],
        signed_in: SignedIn,
    ) -> None:
        self._calls = calls
        self._fleet = fleet
        self._states = states
        self._interval = interval
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._overview: Overview | None = None
        self._one_read = DeferredLock()
        self._minutes: Minutes = {}
        self._sizes: CachedCounts[str, tuple[int, int]] = CachedCounts(lambda _all: fleet.sizes(), reactor.seconds)
        self._streams: dict[EventStream, tuple[Topic, float]] = {}
        self._sessions: dict[EventStream, str] = {}
        self._sent: dict[Topic, bytes] = {}
        self._number = 0
        self._not_before = 0.0
        self._signed_in = signed_in
        self._fresh_at = 0.0
        self._why = ""
        self._refreshing = Periodic("refreshing of live pages", interval, self._refresh, reactor)
        self._beating = Periodic("beat of live pages", HEARTBEAT, self._beat, reactor)
        self._checking = Periodic("search for users that have signed out", CHECK, self._end_signed_out, reactor)

    @property
    def streams(self) -> int:
        """Browsers that listen."""
        return len(self._streams)

    async def overview(self) -> Overview:
        """The fleet, not older than an interval; callers at the same time share one read. Raises DatabaseError."""
        await self._one_read.acquire()
        try:
            now = self._reactor.seconds()
            if self._overview is None or now - self._overview.read_at >= self._interval:
                self._overview = await self._read()
            return self._overview
        finally:
            self._one_read.release()

    async def _read(self) -> Overview:
        at = self._wall_clock()
        oldest = int(at) // 60 * 60 - HOUR
        known = max((minute for minute in self._minutes if minute <= at), default=oldest)
        self._minutes.update(await self._calls.minutes(max(oldest, known - 120)))
        self._minutes = {minute: calls for minute, calls in self._minutes.items() if minute >= oldest}
        sizes = await self._sizes.of("all")
        fleet = await self._fleet.fleet(at, WINDOW)
        succ, err = calls_a_second(self._minutes, at)
        return Overview(self._reactor.seconds(), at, succ + err, err, *sizes, dict(self._minutes), fleet)

    async def watched(self, module: ModuleId) -> tuple[Watched, list[HostStats]]:
        """A module now, and the statistics of its hosts. Raises DatabaseError."""
        now = self._wall_clock()
        watched = (await self._states.watched([module], now, _since(now)))[module]
        return watched, host_stats(watched)

    def open(self, stream: EventStream, topic: Topic, session: str) -> None:
        """Streams a topic until the stream or the session of this secret ends."""
        if not self._streams:
            self._fresh_at, self._why = self._reactor.seconds(), ""  # the page itself is fresh
        self._sessions[stream] = session
        self._streams[stream] = (topic, self._reactor.seconds())
        if (sent := self._sent.get(topic)) is not None:
            stream.send(sent)
        stream.send(self._now_beat())

    def close(self, stream: EventStream) -> None:
        """The stream has ended; without streams nothing is read."""
        self._streams.pop(stream, None)
        self._sessions.pop(stream, None)
        if not self._streams:
            self._sent.clear()

    def end_session(self, session: str) -> None:
        """Ends the streams of a session, which has ended."""
        for stream in [stream for stream, secret in self._sessions.items() if secret == session]:
            stream.end()

    def start(self) -> None:
        """Begins to refresh streams, now and at each interval."""
        self._refreshing.start(now=True)
        self._beating.start()
        self._checking.start()

    async def stop(self) -> None:
        """Ends all streams; returns when no read is under way."""
        for stream in tuple(self._streams):
            stream.end()
        await self._beating.stop()
        await self._checking.stop()
        await self._refreshing.stop()

    async def _refresh(self) -> None:
        began = self._reactor.seconds()
        self._end_old(began)
        if not self._streams or began < self._not_before:
            return
        try:
            await self._read_and_publish()
            self._fresh_at, why = self._reactor.seconds(), ""
        except DatabaseError as error:
            _log.debug("live pages are not refreshed: {error}", error=str(error))
            why = "database"
        finally:
            self._not_before = began + PAUSE * (self._reactor.seconds() - began)
        if why != self._why:
            self._why = why
            self._beat()

    def _now_beat(self) -> bytes:
        return beat(self._reactor.seconds() - self._fresh_at, self._why)

    def _beat(self) -> None:
        for stream in tuple(self._streams):
            stream.send(self._now_beat())

    async def _end_signed_out(self) -> None:
        sessions = set(self._sessions.values())
        if not sessions:
            return
        try:
            for session in sessions - await self._signed_in(sessions):
                self.end_session(session)
        except DatabaseError as error:
            _log.debug("users that have signed out are not looked for: {error}", error=str(error))

    async def _read_and_publish(self) -> None:
        topics = {topic for topic, _opened in self._streams.values()}
        pages: dict[ModuleId, list[int]] = {}
        for topic in topics:
            if topic is not None:
                pages.setdefault(topic.module, []).append(topic.number)
        if None in topics:
            self._publish(None, fleet_payload(await self.overview()))
        if pages:
            now = self._wall_clock()
            for module, watched in (await self._states.watched(sorted(pages), now, _since(now))).items():
                hosts = host_stats(watched)
                for number in pages[module]:
                    self._publish(HostPage(module, number), module_payload(watched, hosts, number))
        for topic in self._sent.keys() - topics:
            del self._sent[topic]

    def _publish(self, topic: Topic, data: dict[str, Any]) -> None:
        text = json.dumps(data, separators=(",", ":")).encode()
        before = self._sent.get(topic, b"")
        if before.endswith(b"data: " + text + b"\n\n"):
            return
        self._number += 1
        self._sent[topic] = event("now", text, self._number)
        for stream, (wanted, _opened) in tuple(self._streams.items()):
            if wanted == topic:
                stream.send(self._sent[topic])

    def _end_old(self, now: float) -> None:
        for stream, (_topic, opened) in tuple(self._streams.items()):
            if now - opened > LIFETIME:
                stream.end()


def _since(now: float) -> int:
    return (int(now) - WINDOW) // 60 * 60
