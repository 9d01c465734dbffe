"""What pages show of now: read once for all who look, and only while somebody does."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from lars.db.calls import CallStore, Fleet, Minutes, Watched
from lars.db.engine import DatabaseError
from lars.route import ModuleId, format_ip
from lars.web.formats import percent, rate, whole
from lars.web.live.cached_counts import CachedCounts
from lars.web.live.event_stream import ALIVE, EventStream, event
from lars.web.live.host_stats import HostStats, calls_a_second, host_stats

_log = Logger()

WINDOW = 300
"""Seconds of which the error rates and shares are."""

HOUR = 3600
PAUSE = 3
"""A look that took a second is followed by so many without one: the database has others to serve."""

LIFETIME = 300.0
"""Seconds after which a stream ends, to be opened anew by who is still signed in."""

HEARTBEAT = 15.0


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet at one moment: `read_at` on the reactor's clock, `at` in Unix seconds."""

    read_at: float
    at: float
    calls: float
    errors: float
    modules: int
    hosts: int
    minutes: Minutes
    fleet: Fleet


class Live:
    """Reads for pages, and streams what has changed; `wall_clock` gives Unix seconds."""

    def __init__(self, calls: CallStore, interval: float, reactor: Any, wall_clock: Callable[[], float]) -> None:
        self._calls = calls
        self._interval = interval
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._overview: Overview | None = None
        self._one_look = DeferredLock()
        self._minutes: Minutes = {}
        self._sizes: CachedCounts[str, tuple[int, int]] = CachedCounts(lambda _all: calls.sizes(), reactor.seconds)
        self._streams: dict[EventStream, tuple[ModuleId | None, float]] = {}
        self._sent: dict[ModuleId | None, bytes] = {}
        self._number = 0
        self._not_before = 0.0
        self._alive_at = 0.0
        self._ticking = LoopingCall(lambda: Deferred.fromCoroutine(self._tick()))
        self._ticking.clock = reactor
        self._ended: Deferred[LoopingCall] | None = None

    @property
    def streams(self) -> int:
        """How many browsers listen."""
        return len(self._streams)

    async def overview(self) -> Overview:
        """The fleet, not older than an interval; raises DatabaseError. Many who ask at once wait for one look."""
        await self._one_look.acquire()
        try:
            now = self._reactor.seconds()
            if self._overview is None or now - self._overview.read_at >= self._interval:
                self._overview = await self._read()
            return self._overview
        finally:
            self._one_look.release()

    async def _read(self) -> Overview:
        at = self._wall_clock()
        oldest = int(at) // 60 * 60 - HOUR
        known = max((minute for minute in self._minutes if minute <= at), default=oldest)
        self._minutes.update(await self._calls.minutes(max(oldest, known - 120)))
        self._minutes = {minute: calls for minute, calls in self._minutes.items() if minute >= oldest}
        sizes = await self._sizes.of("all")
        fleet = await self._calls.fleet(at, WINDOW)
        succ, err = calls_a_second(self._minutes, at)
        return Overview(self._reactor.seconds(), at, succ + err, err, *sizes, dict(self._minutes), fleet)

    async def watched(self, module: ModuleId) -> tuple[Watched, list[HostStats]]:
        """A module now, and the figures of its hosts."""
        now = self._wall_clock()
        watched = (await self._calls.watched([module], now, _since(now)))[module]
        return watched, host_stats(watched)

    def open(self, stream: EventStream, module: ModuleId | None) -> None:
        """Streams the fleet, or a module, until the stream ends."""
        self._streams[stream] = (module, self._reactor.seconds())
        if (sent := self._sent.get(module)) is not None:
            stream.send(sent)

    def close(self, stream: EventStream) -> None:
        """The stream has ended; when it was the last, no looks are made."""
        self._streams.pop(stream, None)
        if not self._streams:
            self._sent.clear()

    def start(self) -> None:
        """Begins to look, whenever somebody listens."""
        self._ended = self._ticking.start(self._interval)

    async def stop(self) -> None:
        """Ends all streams."""
        for stream in tuple(self._streams):
            stream.end()
        if self._ticking.running:
            self._ticking.stop()
        if self._ended is not None:
            await self._ended

    async def _tick(self) -> None:
        began = self._reactor.seconds()
        self._end_old(began)
        if began - self._alive_at > HEARTBEAT:
            self._alive_at = began
            for stream in self._streams:
                stream.send(ALIVE)
        if not self._streams or began < self._not_before:
            return
        try:
            await self._look_for_all()
        except DatabaseError as error:
            _log.debug("live numbers stand still: {error}", error=str(error))
        except Exception:  # its timer must live
            _log.failure("reading live numbers met a bug")
        self._not_before = began + PAUSE * (self._reactor.seconds() - began)

    async def _look_for_all(self) -> None:
        topics = {topic for topic, _since in self._streams.values()}
        modules = sorted(topic for topic in topics if topic is not None)
        if None in topics:
            self._publish(None, fleet_event(await self.overview()))
        if modules:
            now = self._wall_clock()
            for module, watched in (await self._calls.watched(modules, now, _since(now))).items():
                self._publish(module, module_event(watched))
        for topic in self._sent.keys() - topics:
            del self._sent[topic]

    def _publish(self, topic: ModuleId | None, data: dict[str, Any]) -> None:
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


def fleet_event(overview: Overview) -> dict[str, Any]:
    """What the overview's script puts in place; `parts` changes with what it must fetch anew."""
    fleet = overview.fleet
    parts = (fleet.alarms, [agent.ip for agent in fleet.agents], fleet.agents_silent)
    return {
        "calls": rate(overview.calls),
        "errors": percent(overview.errors, overview.calls),
        "overloaded": whole(fleet.overloaded),
        "modules": whole(overview.modules),
        "hosts": whole(overview.hosts),
        "agents": whole(fleet.agents_count),
        "silent": whole(fleet.agents_silent),
        "alarms": whole(fleet.alarms_count),
        "trouble": [
            {
                "modid": t.module.modid,
                "cmdid": t.module.cmdid,
                "name": t.name,
                "overloaded": f"{t.overloaded} / {t.hosts}",
                "state": "overloaded" if t.overloaded else "failing",
                "errors": percent(t.err, t.succ + t.err),
                "calls": whole(t.succ + t.err),
            }
            for t in fleet.trouble
        ],
        "parts": _digest(parts),
    }


def module_event(watched: Watched) -> dict[str, Any]:
    """What a module's script puts in place."""
    figures = host_stats(watched)
    module = watched.module
    parts = (module.hosts, module.modid_name, module.cmdid_name, sorted(module.leases))
    return {
        "hosts": {
            f"{format_ip(f.host.ip)}:{f.host.port}": {
                "state": f.state,
                "by": f"{f.overloaded_at}/{f.callers}",
                "share": percent(f.calls, f.of),
                "portion": round(100 * f.calls / f.of) if f.of else 0,
                "calls": whole(f.calls),
                "errors": percent(f.err, f.calls),
            }
            for f in figures
        },
        "parts": _digest(parts),
    }


def _digest(parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:12]
