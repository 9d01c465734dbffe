"""One host of a module by the API: how nodes register themselves, and what operators set for it."""

from lars.db.routes import RouteEdit
from lars.host_record import HostChange
from lars.route import HostAddress
from lars.web.api.edits import edit_module
from lars.web.api.endpoint import MODULE, Call, Reply, Resource, endpoint
from lars.web.api.input import MAX_TTL, MIN_TTL, change_of, drain_of, host_of, module_of, number
from lars.web.api.problems import Problem, unknown
from lars.web.api.rows import as_host
from lars.web.roles import Role


class HostResource(Resource):
    """/modules/MODID/CMDID/hosts/HOST."""

    @endpoint("GET", f"{MODULE}/hosts/<host>")
    async def host(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """One host of a module."""
        address = _path_host(host)
        module = await self.stores.modules.module(module_of(modid, cmdid))
        if address not in module.hosts:
            raise unknown(f"{address} is no host of module {module.id}")
        return Reply(as_host(module, address))

    @endpoint("PUT", f"{MODULE}/hosts/<host>", Role.REGISTER)
    async def register(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """Registers a host, or renews its lease (docs/design/web.md, self-registration)."""
        place = (module_of(modid, cmdid), _path_host(host))
        ttl = number(call.query, "ttl", 0, MIN_TTL, MAX_TTL)
        outcome = await self.console.edits.register(call.editor, place, ttl)
        if outcome.refused:
            raise Problem(409, "Conflict", f"module {place[0]} has as many hosts as a module can have")
        if outcome.new:
            return Reply({"version": outcome.version}, 201)
        return Reply(status=204)

    @endpoint("DELETE", f"{MODULE}/hosts/<host>", Role.REGISTER)
    async def deregister(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """Removes one host."""
        await self.console.edits.withdraw(call.editor, (module_of(modid, cmdid), _path_host(host)))
        return Reply(status=204)

    @endpoint("PATCH", f"{MODULE}/hosts/<host>", Role.EDITOR)
    async def change(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """Changes weight, zone, tags or note of a host."""
        change = change_of(call.body, call.headers("Content-Type"))
        return await self._edit(call, modid, cmdid, host, change)

    @endpoint("PUT", f"{MODULE}/hosts/<host>/drain", Role.EDITOR)
    async def drain(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """Drains a host; of one that is drained already, changes end and reason."""
        drain = drain_of(call.body, call.headers("Content-Type"), call.now)
        return await self._edit(call, modid, cmdid, host, HostChange(drain=drain))

    @endpoint("DELETE", f"{MODULE}/hosts/<host>/drain", Role.EDITOR)
    async def undrain(self, call: Call, modid: int, cmdid: int, host: str) -> Reply:
        """Ends the drain of a host."""
        return await self._edit(call, modid, cmdid, host, HostChange(undrain=True))

    async def _edit(self, call: Call, modid: int, cmdid: int, host: str, change: HostChange) -> Reply:
        edit = RouteEdit(module_of(modid, cmdid), change={_path_host(host): change})
        return await edit_module(self.console, call, edit)


def _path_host(text: str) -> HostAddress:
    try:
        return host_of(text, "the host in the path")
    except Problem as problem:
        raise unknown(str(problem)) from None
