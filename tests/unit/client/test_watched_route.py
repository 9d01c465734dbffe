"""What a watch yields, from the agent's answers."""

from twisted.trial.unittest import SynchronousTestCase

from lars.client.host import Host
from lars.client.watched_route import FIRST_INTERVAL, RouteHost, StateQuery, WatchedRoute
from lars.errors import SettingsError
from lars.route import ModuleId, parse_host
from lars.wire.frames import encode_frame
from lars.wire.lars_pb2 import HostInfo, RouteStateResponse
from lars.wire.messages import MessageId, encode_message

MODULE = ModuleId(1, 1)
A, B = (Host(MODULE, parse_host(f"10.0.0.{number}:80")) for number in (1, 2))


def info(host: Host) -> HostInfo:
    return HostInfo(ip=host.address.ip, port=host.address.port)


def state(version: int, idle: list[Host], ejected: list[Host] = [], weights: list[int] = []) -> RouteStateResponse:  # noqa: B006
    return RouteStateResponse(
        modid=1,
        cmdid=1,
        version=version,
        idle=map(info, idle),
        overloaded=map(info, ejected),
        idle_weight=weights,
    )


class WatchedRouteTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.watched = WatchedRoute(MODULE, 0.5, empty_from=1.0)

    def test_states_are_yielded_when_they_change(self) -> None:
        first = self.watched.learn_state(state(7, [B, A], weights=[50, 100]), 0.0)
        assert first is not None
        self.assertEqual(first.hosts, (RouteHost(A, 100), RouteHost(B, 50)))
        self.assertEqual(self.watched.version, 7)
        self.assertIsNone(self.watched.learn_state(state(7, []), 0.5))
        ejected = self.watched.learn_state(state(8, [A], [B]), 1.0)
        assert ejected is not None
        self.assertEqual((ejected.all, ejected.healthy), ([A, B], [A]))
        self.assertIsNone(self.watched.learn_state(state(9, [A], [B]), 1.5), "another version of the same route")

    def test_empty_route_is_yielded_only_once_the_agent_had_time_to_pull_the_hosts(self) -> None:
        self.assertIsNone(self.watched.learn_state(state(0, []), 0.9))
        self.assertEqual(self.watched.pause(0.9), FIRST_INTERVAL)
        empty = self.watched.learn_state(state(0, []), 1.0)
        assert empty is not None
        self.assertEqual((empty.hosts, self.watched.pause(1.0)), ((), 0.5))

    def test_route_whose_last_host_leaves_is_yielded_at_once(self) -> None:
        self.watched.learn_state(state(7, [A]), 0.0)
        self.assertEqual(self.watched.pause(0.0), 0.5)
        self.assertIsNotNone(self.watched.learn_state(state(0, []), 0.1))

    def test_saved_route_is_yielded_only_first(self) -> None:
        self.assertIsNotNone(self.watched.learn_hosts([A], saved=True, now=0.0))
        self.assertIsNone(self.watched.learn_hosts([A, B], saved=True, now=0.5))
        found = self.watched.learn_hosts([B, A], saved=False, now=1.0)
        assert found is not None
        self.assertEqual(found.hosts, (RouteHost(A), RouteHost(B)))
        self.assertEqual(self.watched.version, 0, "the next state must come whole")

    def test_host_that_cannot_be_called_is_left_out(self) -> None:
        answer = state(7, [A])
        answer.idle.append(HostInfo(ip=0, port=80))
        route = self.watched.learn_state(answer, 0.0)
        assert route is not None
        self.assertEqual(route.all, [A])

    def test_interval_is_checked(self) -> None:
        for wrong in (0, -1.0, 86_400, float("nan")):
            with self.assertRaises(SettingsError):
                WatchedRoute(MODULE, wrong, 0.0)


class StateQueryTests(SynchronousTestCase):
    def test_only_its_own_answer_is_taken(self) -> None:
        query = StateQuery(MODULE, 5, 0)
        mine = state(7, [A])
        mine.seq = 5
        self.assertEqual(query.answer(encode_message(MessageId.ROUTE_STATE_RESPONSE, mine)), mine)
        for other in (state(7, [A]), RouteStateResponse(seq=5, modid=1, cmdid=2)):
            self.assertIsNone(query.answer(encode_message(MessageId.ROUTE_STATE_RESPONSE, other)))
        for bytes_ in (b"", b"garbage", encode_frame(MessageId.ROUTE_STATE_RESPONSE, b"\xff"), query.datagrams[0]):
            self.assertIsNone(query.answer(bytes_))
