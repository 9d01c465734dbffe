"""The callers by the API: who sees which host how, and which agents hold which version."""

from lars.db.agents import AgentUnknown
from lars.db.callers import MOST
from lars.errors import InvalidRoute
from lars.host_condition import Condition
from lars.route import parse_ip
from lars.web.api.endpoint import MODULE, Call, Reply, Resource, endpoint
from lars.web.api.input import module_of
from lars.web.api.problems import unknown
from lars.web.api.rows import as_agent, as_caller_view, as_held_route, as_progress


class CallerResource(Resource):
    """…/callers, /agents/IP and /versions/VERSION."""

    @endpoint("GET", f"{MODULE}/callers")
    async def callers(self, call: Call, modid: int, cmdid: int) -> Reply:
        """How each caller sees the hosts of a module, those that are not healthy first."""
        module = module_of(modid, cmdid)
        views = await self.stores.callers.views(module.modid, module.cmdid, call.limit)
        return Reply({"callers": [as_caller_view(view) for view in views]})

    @endpoint("GET", "/api/v1/agents/<ip>")
    async def agent(self, _call: Call, ip: str) -> Reply:
        """What an agent says of itself, the routes it holds, and the hosts that it sees as not healthy."""
        try:
            caller = parse_ip(ip)
            agent = await self.stores.agents.agent(caller)
        except (InvalidRoute, AgentUnknown) as error:
            raise unknown(str(error)) from None
        routes = await self.stores.held_routes.of_agent(caller, MOST)
        views = await self.stores.callers.views_of(caller)
        return Reply(
            {
                **as_agent(agent),
                "routes": [as_held_route(route) for route in routes],
                "hosts": [as_caller_view(view) for view in views if view.condition is not Condition.HEALTHY],
            }
        )

    @endpoint("GET", "/api/v1/versions/<int:version>")
    async def progress(self, _call: Call, version: int) -> Reply:
        """How many agents have the change of a version, and which do not."""
        if version >= 2**63:
            raise unknown(f"there is no version {version}")
        return Reply(as_progress(await self.stores.held_routes.progress(version)))
