"""The client of the commands that ask an agent."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.agent_client import uncached_client
from lars.client.address import AgentAddress
from lars.wire.lars_pb2 import GetHostRequest
from tests.unit.client.responder import HOST, Responder, serving


class UncachedClientTests(SynchronousTestCase):
    def test_every_get_host_reaches_the_agent(self) -> None:
        with Responder(serving(HOST)) as agent, uncached_client(AgentAddress(*agent.agent)) as client:
            for _ in range(2):
                self.assertEqual(str(client.get_host(0, 3)), HOST)
                self.assertIsInstance(agent.next(), GetHostRequest)
