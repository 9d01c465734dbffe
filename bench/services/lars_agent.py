"""The lars-agent that is measured, with lars-dns and lars-reporter or with routes from a file alone."""

from collections.abc import Mapping, Sequence
from typing import Self

from bench.processes.agent_state import SHARDS, save_agent_routes
from bench.processes.ports import free_udp_base, udp_port_is_open
from bench.services.lars_service import LarsService
from lars.route import HostAddress, ModuleId

WORKER_COUNTS = (1, 3)
"""How many processes lars-agent can be."""

NO_SERVER = 1
"""A port that refuses, for an agent without dns or reporter."""


class LarsAgent(LarsService):
    """lars-agent in one process or three."""

    def __init__(
        self, workers: int = 1, dns_port: int = NO_SERVER, reporter_port: int = NO_SERVER, *options: str
    ) -> None:
        self.port = free_udp_base(SHARDS)
        self.address = f"127.0.0.1:{self.port}"
        super().__init__(
            "lars-agent",
            *("--listen", self.address, "--state-dir", "state", "--workers", str(workers)),
            *("--dns", f"127.0.0.1:{dns_port}", "--reporter", f"127.0.0.1:{reporter_port}"),
            *options,
        )

    @classmethod
    def launched(cls, routes: Mapping[ModuleId, Sequence[HostAddress]], *options: str) -> Self:
        """An agent that knows these routes from a file, without dns and reporter, with further options; it is ready."""
        agent = cls(1, NO_SERVER, NO_SERVER, *options)
        save_agent_routes(str(agent.folder / "state"), routes)
        try:
            return agent.launch()
        except BaseException:
            agent.close()
            raise

    def is_ready(self) -> bool:
        """Whether all its shards have their ports."""
        return all(udp_port_is_open(self.port + shard) for shard in range(SHARDS))
