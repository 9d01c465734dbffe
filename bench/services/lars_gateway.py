"""The lars-gateway that is measured, beside an agent that knows its routes from a file."""

from bench.processes.ports import ReservedPort, free_udp_base
from bench.services.lars_service import LarsService


class LarsGateway(LarsService):
    """A gateway that asks the agent at an address."""

    def __init__(self, agent: str) -> None:
        port = ReservedPort()
        self.port = port.number
        self.dns_port = free_udp_base(1)
        options = ["--agent", agent, "--listen", port.endpoint, "--dns", f"127.0.0.1:{self.dns_port}"]
        super().__init__("lars-gateway", *options, ports=(port,))
