"""The fleet by the API: calls over time, the overview, agents and alarms."""

from lars.db.agents import AgentReports, AgentUnknown
from lars.errors import InvalidRoute
from lars.route import parse_ip
from lars.web.api.endpoint import MODULE, Call, Reply, Resource, endpoint
from lars.web.api.input import choice, flag, module_of
from lars.web.api.problems import Problem, unknown
from lars.web.api.rows import as_agent, as_alarm
from lars.web.formats import iso
from lars.web.roles import Role
from lars.web.spans import SPANS, start_of


class FleetResource(Resource):
    """/overview, /agents, /alarms, and the history of a module."""

    @endpoint("GET", f"{MODULE}/history")
    async def history(self, call: Call, modid: int, cmdid: int) -> Reply:
        """Calls of each host over time."""
        module = module_of(modid, cmdid)
        span = choice(call.query, "span", tuple(SPANS))
        step = SPANS[span][1]
        buckets = await self.stores.calls.history(module, start_of(call.now, span), step)
        calls = [
            {"at": iso(b.at), "host": str(b.host), "succ": b.succ, "err": b.err}
            for b in sorted(buckets, key=lambda b: (b.at, b.host))
        ]
        return Reply({"span": span, "step": step, "calls": calls})

    @endpoint("GET", "/api/v1/overview")
    async def overview(self, _call: Call) -> Reply:
        """The fleet now."""
        now = await self.console.live.overview()
        trouble = [
            {**t.module._asdict(), "hosts": t.hosts, "overloaded": t.overloaded, "succ": t.succ, "err": t.err}
            for t in now.fleet.trouble
        ]
        return Reply(
            {
                "at": iso(now.at),
                "calls_per_second": round(now.calls, 3),
                "errors_per_second": round(now.errors, 3),
                "modules": now.modules,
                "hosts": now.hosts,
                "overloaded_hosts": now.fleet.overloaded,
                "agents": now.fleet.agents_count,
                "silent_agents": now.fleet.agents_silent,
                "standing_alarms": now.fleet.alarms_count,
                "trouble": trouble,
            }
        )

    @endpoint("GET", "/api/v1/agents")
    async def agents(self, call: Call) -> Reply:
        """Agents, the longest silent first."""
        agents = await self.stores.agents.agents(call.limit)
        return Reply({"agents": [as_agent(agent) for agent in agents]})

    @endpoint("DELETE", "/api/v1/agents/<ip>", Role.EDITOR)
    async def dismiss(self, call: Call, ip: str) -> Reply:
        """Forgets an agent that is retired."""
        try:
            await self.console.edits.dismiss_agent(call.editor, parse_ip(ip))
        except (InvalidRoute, AgentUnknown) as error:
            raise unknown(str(error)) from None
        except AgentReports as error:
            raise Problem(409, "Conflict", str(error)) from None
        return Reply(status=204)

    @endpoint("GET", "/api/v1/alarms")
    async def alarms(self, call: Call) -> Reply:
        """Alarms, active or cleared, the newest first."""
        active = not flag(call.query, "cleared")
        alarms = await self.stores.alarms.newest(active, call.limit)
        return Reply({"alarms": [as_alarm(alarm) for alarm in alarms]})
