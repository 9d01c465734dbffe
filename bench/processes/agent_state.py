"""The state folder of a lars-agent that is to know its routes without a lars-dns."""

from collections.abc import Mapping, Sequence

from lars.route import HostAddress, ModuleId, shard_of
from lars.saved_routes import encode_routes, routes_path, save_routes

SHARDS = 3


def save_agent_routes(state_dir: str, routes: Mapping[ModuleId, Sequence[HostAddress]]) -> None:
    """Writes a file of saved routes for each shard of the agent, empty where the shard has none of the modules."""
    for shard in range(SHARDS):
        own = {module: hosts for module, hosts in routes.items() if shard_of(module, SHARDS) == shard}
        save_routes(routes_path(state_dir, shard), encode_routes(own))
