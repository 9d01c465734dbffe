"""A test case for the commands that ask an agent, with one on a real socket."""

from collections.abc import Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.wire.lars_pb2 import GetHostRequest
from lars.wire.messages import Retcode
from tests.unit.cli.command import Ended, run_here
from tests.unit.client.responder import HOST, OTHER, Responder, host_answer, route_answer, serving


class AgentCommandCase(SynchronousTestCase):
    """Runs `lars` in this process, with `agent` as its agent."""

    def setUp(self) -> None:
        self.agent = Responder(serving(HOST, OTHER))
        self.addCleanup(self.agent.close)

    def lars(self, *given: str) -> Ended:
        return run_here(*given, "--agent", f"127.0.0.1:{self.agent.port}")

    def overloaded(self, request: Any) -> Iterable[bytes]:
        if isinstance(request, GetHostRequest):
            return [host_answer(request, None, retcode=Retcode.OVERLOAD)]
        return [route_answer(request, HOST)]
