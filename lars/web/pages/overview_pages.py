"""The overview: what is in trouble first; and the streams that keep pages fresh."""

from typing import Any

from klein import Klein
from twisted.web.server import Request

from lars.errors import InvalidRoute, LarsError
from lars.route import ModuleId, module_id
from lars.web.auth.access import Door, guard, page
from lars.web.live.event_stream import EventStream
from lars.web.live.live import WINDOW, fleet_event
from lars.web.page_request import Answer, Page, Visit
from lars.web.pages.charts import chart, totals

AGENTS = 500
"""Agents that their page lists at most, those first that have been silent for longest."""

ALARMS = 200


class OverviewPages:
    """/, /agents, /alarms, and /live/…"""

    app = Klein()
    guard(app)

    def __init__(self, door: Door) -> None:
        self.door = door
        self.console = door.console

    @page(app, "/")
    async def overview(self, visit: Visit) -> Answer:
        overview = await self.console.live.overview()
        calls = totals((minute, *counts) for minute, counts in overview.minutes.items())
        edits = await self.console.stores.audit.edits(None, None, 8)
        values = {
            "live": fleet_event(overview),
            "fleet": overview.fleet,
            "modules": overview.modules,
            "chart": chart(calls, overview.at, "1h", visit.zone),
            "edits": edits,
            "window": WINDOW // 60,
        }
        return Page("overview.html", values)

    @page(app, "/agents")
    async def agents(self, _visit: Visit) -> Answer:
        agents = await self.console.stores.calls.agents(AGENTS)
        return Page("agents.html", {"agents": agents, "most": AGENTS})

    @page(app, "/alarms")
    async def alarms(self, _visit: Visit) -> Answer:
        standing = await self.console.stores.calls.alarms(True, ALARMS)
        cleared = await self.console.stores.calls.alarms(False, ALARMS)
        return Page("alarms.html", {"standing": standing, "cleared": cleared, "most": ALARMS})

    @app.route("/live/fleet")
    async def fleet_stream(self, request: Any) -> bytes:
        return await self._stream(request, None)

    @app.route("/live/modules/<int:modid>/<int:cmdid>")
    async def module_stream(self, request: Any, modid: int, cmdid: int) -> bytes:
        try:
            return await self._stream(request, module_id(modid, cmdid))
        except InvalidRoute:
            request.setResponseCode(404)
            return b""

    async def _stream(self, request: Request, topic: ModuleId | None) -> bytes:
        try:
            allowed = await self.door.may_look(request)
        except LarsError:
            request.setResponseCode(503)
            return b""
        if not allowed:
            request.setResponseCode(403)  # after which a browser does not come again
            return b""
        stream = EventStream(request)
        self.console.live.open(stream, topic)
        try:
            return await stream.ended
        finally:
            self.console.live.close(stream)
