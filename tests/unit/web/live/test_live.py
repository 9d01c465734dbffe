"""Live data: read once for all browsers, and only while one is open."""

import json
from collections.abc import Collection
from typing import Any, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.db.calls import Minutes
from lars.db.engine import DatabaseAway
from lars.db.fleet import Fleet
from lars.db.host_states import Watched
from lars.route import ModuleId
from lars.web.live.event_stream import BEAT, beat
from lars.web.live.live import CHECK, HEARTBEAT, LIFETIME, HostPage, Live
from tests.unit.web.fleet import M, fleet, watched


class FakeCalls:
    """Counts reads; `gate`, if there is one, holds them up."""

    def __init__(self) -> None:
        self.reads = 0
        self.succ = 600
        self.gate: Deferred[None] | None = None
        self.error: Exception | None = None

    async def minutes(self, since: int) -> Minutes:
        return {since // 60 * 60: (self.succ, 0)}

    async def sizes(self) -> tuple[int, int]:
        return 1, 3

    async def fleet(self, _now: float, _window: int) -> Fleet:
        await self._read()
        return fleet()

    async def watched(self, modules: list[ModuleId], _now: float, _since: int) -> dict[ModuleId, Watched]:
        await self._read()
        return dict.fromkeys(modules, watched())

    async def _read(self) -> None:
        self.reads += 1
        if self.gate is not None:
            await self.gate
        if self.error is not None:
            raise self.error


class FakeStream:
    """Records what it is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.ended = False

    def send(self, text: bytes) -> None:
        self.sent.append(text)

    def end(self) -> None:
        self.ended = True

    @property
    def payloads(self) -> list[Any]:
        """The data of the events, comments left out."""
        return [json.loads(text.split(b"data: ")[1]) for text in self.sent if not text.startswith(BEAT)]


class LiveTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.calls = FakeCalls()
        self.sessions = {"hers", "his"}
        self.live = Live(
            *(cast(Any, self.calls),) * 3, 1.0, self.clock, lambda: 1_700_000_000 + self.clock.seconds(), self.signed_in
        )

    async def signed_in(self, sessions: Collection[str]) -> set[str]:
        return set(sessions) & self.sessions

    def open(self, module: ModuleId | None, session: str = "hers") -> FakeStream:
        stream = FakeStream()
        self.live.open(cast(Any, stream), HostPage(module, 1) if module else None, session)
        return stream

    def test_overviews_at_once_share_a_read(self) -> None:
        self.calls.gate = Deferred()
        both = gatherResults([Deferred.fromCoroutine(self.live.overview()) for _ in range(2)])
        self.calls.gate.callback(None)
        one, other = self.successResultOf(both)
        self.assertIs(one, other)
        self.assertEqual(self.calls.reads, 1)

    def test_overview_is_read_again_after_an_interval(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.live.overview()))
        self.clock.advance(1)
        self.successResultOf(Deferred.fromCoroutine(self.live.overview()))
        self.assertEqual(self.calls.reads, 2)

    def test_nothing_is_read_without_a_stream(self) -> None:
        self.live.start()
        self.clock.pump([1] * 5)
        self.assertEqual(self.calls.reads, 0)

    def test_streams_get_their_topic_and_only_changes(self) -> None:
        everything, module = self.open(None), self.open(M)
        self.live.start()
        self.clock.pump([1] * 3)
        self.assertEqual([p["ejected"] for p in everything.payloads[:1]], ["1"])
        self.assertEqual(len(module.payloads), 1, "nothing has changed since")
        self.assertEqual(module.payloads[0]["hosts"]["10.0.0.1:80"]["state"], "ejected")

    def test_streams_end_with_their_session(self) -> None:
        hers, his, closed = self.open(M), self.open(None, "his"), self.open(M)
        self.live.close(cast(Any, closed))
        self.live.end_session("hers")
        self.assertEqual((hers.ended, his.ended, closed.ended), (True, False, False))

    def test_streams_end_when_their_user_signs_out_at_another_lars_web(self) -> None:
        hers, his = self.open(M), self.open(None, "his")
        self.live.start()
        self.sessions.remove("hers")
        self.clock.pump([1] * int(CHECK))
        self.assertEqual((hers.ended, his.ended), (True, False))

    def test_beats_say_how_old_figures_are_and_why(self) -> None:
        stream = self.open(M)
        self.live.start()
        self.clock.advance(1)
        self.calls.error = DatabaseAway("away")
        self.clock.pump([1] * 5)
        self.assertEqual(stream.sent[-2:], [beat(1, "database"), beat(4, "database")])
        self.calls.error = None
        self.clock.advance(1)
        self.assertEqual(stream.sent[-1], beat(0, ""))

    def test_read_that_hangs_holds_up_no_beat(self) -> None:
        stream = self.open(M)
        self.live.start()
        self.calls.gate = Deferred()
        self.clock.pump([1] * 11)
        self.assertEqual(stream.sent[-1], beat(10, ""))
        self.calls.gate.callback(None)

    def test_stream_that_opens_later_gets_the_latest_at_once(self) -> None:
        self.open(M)
        self.live.start()
        self.assertEqual(len(self.open(M).payloads), 1)

    def test_database_that_is_away_ends_no_stream(self) -> None:
        stream = self.open(M)
        self.calls.error = DatabaseAway("away")
        self.live.start()
        self.calls.error = None
        self.clock.advance(1)
        self.assertEqual((len(stream.payloads), stream.ended), (1, False))

    def test_slow_read_is_followed_by_a_pause(self) -> None:
        self.open(M)
        self.calls.gate = Deferred()
        self.live.start()
        self.clock.advance(2)
        gate, self.calls.gate = self.calls.gate, None
        gate.callback(None)
        self.clock.pump([1] * 3)
        self.assertEqual(self.calls.reads, 1)
        self.clock.advance(1)
        self.assertEqual(self.calls.reads, 2)

    def test_streams_are_kept_alive_and_end_after_their_lifetime(self) -> None:
        stream = self.open(M)
        self.live.start()
        self.clock.pump([1] * int(HEARTBEAT + 2))
        self.assertEqual(len([text for text in stream.sent if text.startswith(BEAT)]), 2)
        self.clock.pump([1] * int(LIFETIME))
        self.assertTrue(stream.ended)

    def test_stop_ends_streams_and_waits_for_the_read(self) -> None:
        stream = self.open(M)
        self.calls.gate = Deferred()
        self.live.start()
        stopped = Deferred.fromCoroutine(self.live.stop())
        self.assertNoResult(stopped)
        self.calls.gate.callback(None)
        self.successResultOf(stopped)
        self.assertTrue(stream.ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])
