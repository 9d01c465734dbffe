"""What a client remembers of a shard."""

from twisted.trial.unittest import SynchronousTestCase

from lars.client.address import AgentAddress
from lars.client.shard_state import RETRY, UNSUPPORTED_TTL, ShardState


class ShardStateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.shard = ShardState(AgentAddress("127.0.0.1", 8888), 0)

    def test_shard_is_alive_until_it_is_known_to_be_down(self) -> None:
        self.assertTrue(self.shard.alive)

    def test_attempts_are_due_once_in_a_retry_interval(self) -> None:
        times = [100.0, 100.0 + RETRY / 2, 100.0 + RETRY, 100.0 + RETRY + 0.01, 100.0 + 2 * RETRY]
        self.assertEqual([self.shard.due(now) for now in times], [True, False, True, False, True])

    def test_agent_without_route_states_is_left_alone_for_a_while(self) -> None:
        self.shard.states_unsupported(100.0)
        self.assertEqual(self.shard.states_unsupported_until, 100.0 + UNSUPPORTED_TTL)
