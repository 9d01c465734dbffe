"""Routes are asked for once a second at most, and waited for when they are new."""

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from lars.client.errors import AgentUnavailable
from lars.gateway.route import Route
from lars.gateway.route_cache import FIRST_WAIT, MAX_MODULES, TTL, UNUSED, RouteCache
from lars.route import ModuleId
from tests.unit.gateway.routes import MODULE, host, route

SOME = route(host("10.0.0.1:80"))
NONE = route(version=0)


class RouteCacheTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.cache = RouteCache(self._ask, self.clock)
        self.asked: list[tuple[ModuleId, Route | None]] = []
        self.answer: Deferred[Route] | Route | AgentUnavailable = SOME

    def _ask(self, module: ModuleId, known: Route | None) -> Deferred[Route]:
        self.asked.append((module, known))
        if isinstance(self.answer, Deferred):
            return self.answer
        return succeed(self.answer) if isinstance(self.answer, Route) else fail(self.answer)

    def test_a_route_is_fresh_until_its_ttl_has_passed(self) -> None:
        self.assertIsNone(self.cache.fresh(MODULE))
        self.assertIs(self.successResultOf(self.cache.get(MODULE)), SOME)
        self.clock.advance(TTL / 2)
        self.assertIs(self.cache.fresh(MODULE), SOME)
        self.assertIs(self.successResultOf(self.cache.get(MODULE)), SOME)
        self.assertEqual(self.asked, [(MODULE, None)])
        self.clock.advance(TTL / 2)
        self.assertIsNone(self.cache.fresh(MODULE))
        self.successResultOf(self.cache.get(MODULE))
        self.assertEqual(self.asked, [(MODULE, None), (MODULE, SOME)])

    def test_those_who_wait_share_a_question(self) -> None:
        question: Deferred[Route] = Deferred()
        self.answer = question
        first, second = self.cache.get(MODULE), self.cache.get(MODULE)
        self.assertNoResult(first)
        question.callback(SOME)
        self.assertIs(self.successResultOf(first), SOME)
        self.assertIs(self.successResultOf(second), SOME)
        self.assertEqual(len(self.asked), 1)

    def test_the_first_hosts_are_waited_for(self) -> None:
        self.answer = NONE
        waiting = self.cache.get(MODULE)
        self.assertNoResult(waiting)
        self.answer = SOME
        self.clock.pump([0.01] * 10)
        self.assertIs(self.successResultOf(waiting), SOME)

    def test_a_module_without_hosts_is_waited_for_once(self) -> None:
        self.answer = NONE
        waiting = self.cache.get(MODULE)
        self.clock.pump([0.01] * int(FIRST_WAIT * 100 + 20))
        self.assertIs(self.successResultOf(waiting), NONE)
        self.clock.advance(TTL)
        asked = len(self.asked)
        self.assertIs(self.successResultOf(self.cache.get(MODULE)), NONE)
        self.assertEqual(len(self.asked), asked + 1)

    def test_a_route_that_loses_its_hosts_is_empty_at_once(self) -> None:
        self.successResultOf(self.cache.get(MODULE))
        self.clock.advance(TTL)
        self.answer = NONE
        self.assertIs(self.successResultOf(self.cache.get(MODULE)), NONE)

    def test_a_refusal_is_not_kept(self) -> None:
        self.answer = AgentUnavailable("away")
        self.failureResultOf(self.cache.get(MODULE), AgentUnavailable)
        self.answer = SOME
        self.assertIs(self.successResultOf(self.cache.get(MODULE)), SOME)

    def test_who_no_longer_waits_disturbs_nobody(self) -> None:
        question: Deferred[Route] = Deferred()
        self.answer = question
        first, second = self.cache.get(MODULE), self.cache.get(MODULE)
        first.cancel()
        self.failureResultOf(first)
        question.callback(SOME)
        self.assertIs(self.successResultOf(second), SOME)

    def test_unused_routes_are_forgotten(self) -> None:
        self.successResultOf(self.cache.get(MODULE))
        self.clock.advance(TTL + UNUSED)
        self.cache.forget_unused()
        self.assertEqual(len(self.cache), 1)
        self.clock.advance(1)
        self.cache.forget_unused()
        self.assertEqual(len(self.cache), 0)

    def test_the_longest_unused_makes_room_for_another(self) -> None:
        for number in range(1, MAX_MODULES + 1):
            self.cache.get(ModuleId(number, 1))
        self.clock.advance(TTL / 2)
        self.cache.get(ModuleId(1, 1))
        self.cache.get(ModuleId(0, 9))
        self.assertEqual(len(self.cache), MAX_MODULES)
        self.assertIsNotNone(self.cache.fresh(ModuleId(1, 1)))
        self.assertIsNone(self.cache.fresh(ModuleId(2, 1)))

    def test_closing_ends_what_is_under_way(self) -> None:
        self.answer = NONE
        waiting = self.cache.get(MODULE)
        self.cache.close()
        self.assertNoResult(waiting)
        self.assertEqual(self.clock.getDelayedCalls(), [])
