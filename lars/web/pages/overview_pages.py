"""The overview, agents and alarms, and the streams that refresh pages."""

from typing import Any

from twisted.web.server import Request

from lars.db.agents import AgentReports, AgentUnknown
from lars.errors import InvalidRoute, LarsError
from lars.route import ModuleId, module_id, parse_ip
from lars.web.live.event_stream import EventStream
from lars.web.live.live import HostPage
from lars.web.live.payloads import fleet_payload
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.charts import chart, totals
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role
from lars.web.spans import WINDOW

AGENTS = 500
"""Agents on their page at most, the longest silent first."""

ALARMS = 200
"""Alarms of each kind on their page at most, the newest first."""


class OverviewPages(PageSet):
    """/, /agents, /alarms, and /live/…"""

    app = new_app()

    @page(app, "/")
    async def overview(self, request: PageRequest) -> Answer:
        """The fleet, modules in trouble first."""
        overview = await self.console.live.overview()
        calls = totals((minute, *counts) for minute, counts in overview.minutes.items())
        edits = await self.console.stores.audit.edits(None, None, 8)
        values = {
            "live": fleet_payload(overview),
            "fleet": overview.fleet,
            "modules": overview.modules,
            "chart": chart(calls, overview.at, "1h", request.zone),
            "edits": edits,
            "window": WINDOW // 60,
        }
        return Page("overview.html", values)

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

    @page(app, "/alarms")
    async def alarms(self, _request: PageRequest) -> Answer:
        """Active and cleared alarms."""
        active = await self.console.stores.alarms.newest(True, ALARMS)
        cleared = await self.console.stores.alarms.newest(False, ALARMS)
        return Page("alarms.html", {"active": active, "cleared": cleared, "most": ALARMS})

    @app.route("/live/fleet")
    async def fleet_stream(self, http_request: Any) -> bytes:
        """Streams what the overview shows (Server-Sent Events)."""
        return await self._stream(http_request, None)

    @app.route("/live/modules/<int:modid>/<int:cmdid>")
    async def module_stream(self, http_request: Any, modid: int, cmdid: int) -> bytes:
        """Streams what a module's page shows; 404 if there can be no such module."""
        try:
            module = module_id(modid, cmdid)
        except InvalidRoute:
            http_request.setResponseCode(404)
            return b""
        return await self._stream(http_request, module)

    async def _stream(self, http_request: Request, module: ModuleId | None) -> bytes:
        try:
            request = await self.access.identify(http_request)
        except LarsError:
            http_request.setResponseCode(503)
            return b""
        if request.role is None:
            http_request.setResponseCode(403)  # after which a browser does not open the stream again
            return b""
        stream = EventStream(http_request)
        topic = HostPage(module, request.number("page", 1, 1, 10**6)) if module is not None else None
        self.console.live.open(stream, topic, request.secret)
        try:
            return await stream.ended
        finally:
            self.console.live.close(stream)
