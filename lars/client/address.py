"""The agent's address: one IP, and a port for each of its shards (docs/design/agent.md, shards)."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple, Self
from weakref import WeakSet

from lars.errors import InvalidRoute, SettingsError
from lars.host_names import parse_place
from lars.route import MAX_PORT, ModuleId, format_ip, shard_of

DEFAULT_AGENT = "127.0.0.1:8888"

AGENT_VARIABLE = "LARS_AGENT"
"""The environment variable of the agent's address, if the program gives none."""

STATE_DIR_VARIABLE = "LARS_STATE_DIR"
"""The environment variable of the folder of the agent's saved routes, if the program gives none."""

DEFAULT_STATE_DIR = "/var/lib/lars"

SHARDS = 3


class AgentAddress(NamedTuple):
    """An agent's dotted IPv4 address and base port; its shards listen on that port and the next ones."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"

    def of_shard(self, number: int) -> "AgentAddress":
        """The address of a shard of this agent."""
        return AgentAddress(self.ip, self.port + number)

    def shard(self, module: ModuleId) -> "AgentAddress":
        """The address of the shard that serves a module."""
        return AgentAddress(self.ip, self.port + shard_of(module, SHARDS))


class NamedAddress(AgentAddress):
    """The address of an agent that was given by a name, which may have another address later.

    Attributes:
        name: as it was given: "agent:8888".
        sockets: those that are connected to this address, wherever it moves.
    """

    name: str
    sockets: "WeakSet[socket.socket]"

    @classmethod
    def of(cls, address: AgentAddress, name: str) -> Self:
        """The address, with a name."""
        named = cls(*address)
        named.name = name
        named.sockets = WeakSet()
        return named

    def of_shard(self, number: int) -> "NamedAddress":
        return self.of(super().of_shard(number), self.name)

    def at(self, ip: str) -> "NamedAddress":
        """The same place with another IPv4 address, and with the same sockets."""
        moved = self.of(AgentAddress(ip, self.port), self.name)
        moved.sockets = self.sockets
        return moved

    def reconnect(self) -> None:
        """Connects to this address those sockets that are connected to another one; any thread may be using them."""
        for sock in self.sockets.copy():
            with suppress(OSError):  # it has been closed
                if sock.getpeername() != self:
                    sock.connect(self)


def parse_agent(text: str) -> AgentAddress:
    """ "127.0.0.1:8888" or "agent:8888" -> AgentAddress; raises SettingsError."""
    try:
        ip, port = parse_place(text)
    except InvalidRoute as error:
        raise SettingsError(f"agent address: {error}") from None
    if port > MAX_PORT - (SHARDS - 1):
        raise SettingsError(
            f"agent address: port {port} is too high: its {SHARDS} shards use it and the ports after it"
        )
    address = AgentAddress(format_ip(ip), port)
    return address if text.startswith(f"{address.ip}:") else NamedAddress.of(address, text)


def agent_address(agent: str | tuple[str, int] | None, environ: Mapping[str, str] = os.environ) -> AgentAddress:
    """The address that a program gave or, for None, the environment's or the default; raises SettingsError."""
    if agent is not None:
        return parse_agent(agent if isinstance(agent, str) else f"{agent[0]}:{agent[1]}")
    try:
        return parse_agent(environ.get(AGENT_VARIABLE) or DEFAULT_AGENT)
    except SettingsError as error:
        raise SettingsError(f"environment {AGENT_VARIABLE}: {error}") from None


def state_folder(state_dir: str | None, agent: AgentAddress, environ: Mapping[str, str] = os.environ) -> str:
    """The folder that a program gave or, for None, the environment's or the default; empty for no saved routes.

    An agent on another machine has no default.
    """
    if state_dir is not None:
        return state_dir
    if STATE_DIR_VARIABLE in environ:
        return environ[STATE_DIR_VARIABLE]
    return DEFAULT_STATE_DIR if agent.ip.startswith("127.") else ""
