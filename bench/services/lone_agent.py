"""Where clients are measured: a lars-agent that knows its routes from a file, and nothing to link to."""

from types import TracebackType
from typing import Self

from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from lars.client import AgentUnavailable, LarsClient
from lars.route import HostAddress, ModuleId, shard_of
from lars.saved_routes import encode_routes, routes_path, save_routes

MODULES = [ModuleId(modid, 1) for modid in range(1, 11)]
"""Those that udpload asks for, and more."""

HOSTS = 10


class ClientGround:
    """With `small` every figure takes a moment, and says nothing about the bars."""

    def __init__(self, small: bool) -> None:
        self.small = small
        self.agent = LarsAgent(workers=1, dns_port=1, reporter_port=1)

    @property
    def address(self) -> str:
        """The agent's."""
        return self.agent.address

    def __enter__(self) -> Self:
        state = str(self.agent.folder / "state")
        for shard in range(3):
            mine = [module for module in MODULES if shard_of(module, 3) == shard]
            routes = {m: [HostAddress((10 << 24) + (m.modid << 8) + n, 80) for n in range(1, HOSTS + 1)] for m in mine}
            save_routes(routes_path(state, shard), encode_routes(routes))
        self.agent.start()
        with LarsClient(self.address, cache=False, state_dir="") as client:
            until(lambda: self._answers(client), "the agent to answer", 60)
        return self

    def _answers(self, client: LarsClient) -> bool:
        self.agent.require_running()
        try:
            return all(client.get_route(*module) for module in MODULES)
        except AgentUnavailable:
            return False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.agent.close()
