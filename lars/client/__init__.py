"""The API for business processes: asks for the host to call, and reports how the call went (docs/design/client.md)."""

from lars.client.blocking import LarsClient
from lars.client.errors import AgentUnavailable, InvalidArgument, NoSuchModule, Overloaded
from lars.client.host import Host

__all__ = ["AgentUnavailable", "Host", "InvalidArgument", "LarsClient", "NoSuchModule", "Overloaded"]
