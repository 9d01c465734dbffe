"""The API for business processes: which host do I call now, and how did the call go? (docs/design/client.md)."""

from lars.client.blocking import LarsClient
from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.client.host import Host

__all__ = ["AgentUnavailable", "Host", "LarsClient", "NoSuchModule", "Overloaded"]
