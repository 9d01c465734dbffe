"""The agents: a list of them, what one says of itself, and the dismissal of those that are retired."""

from lars.db.agents import AgentReports, AgentUnknown
from lars.errors import InvalidRoute
from lars.host_condition import Condition
from lars.route import parse_ip
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.roles import Role

AGENTS = 500
"""Agents on their page at most, the longest silent first."""

ROUTES = 500
"""Routes on the page of an agent, at most; likewise hosts."""


class AgentPages(PageSet):
    """/agents and all below."""

    app = new_app()

    @page(app, "/agents")
    async def agents(self, _request: PageRequest) -> Answer:
        """Agents, the longest silent first."""
        agents = await self.console.stores.agents.agents(AGENTS)
        return Page("agents.html", {"agents": agents, "most": AGENTS})

    @page(app, "/agents/<ip>/dismiss", role=Role.EDITOR, form=True)
    async def dismiss_agent(self, request: PageRequest, ip: str) -> Answer:
        """Forgets an agent that is retired; one that reports is left alone."""
        try:
            await self.console.edits.dismiss_agent(request.editor, parse_ip(ip))
        except AgentReports:
            return Redirect("/agents?notice=reports")
        except (InvalidRoute, AgentUnknown):
            return Redirect("/agents?notice=same")
        return Redirect("/agents?notice=dismissed")

    @page(app, "/agents/<ip>")
    async def agent(self, _request: PageRequest, ip: str) -> Answer:
        """One agent: who it is, its links and settings, the routes it holds, the hosts it sees as not healthy."""
        stores = self.console.stores
        try:
            caller = parse_ip(ip)
            agent = await stores.agents.agent(caller)
        except (InvalidRoute, AgentUnknown) as error:
            raise NotFound(str(error)) from None
        routes = await stores.held_routes.of_agent(caller, ROUTES + 1)
        views = [v for v in await stores.callers.views_of(caller, ROUTES) if v.condition is not Condition.HEALTHY]
        values = {"agent": agent, "routes": routes[:ROUTES], "more": len(routes) > ROUTES, "views": views}
        return Page("agent.html", values)
