"""Modules by the API: finding them, their hosts, their names."""

from lars.db.routes import RouteEdit
from lars.route import MAX_ID
from lars.web.api.edits import edit_module
from lars.web.api.endpoint import MODULE, Call, Reply, Resource, endpoint
from lars.web.api.input import cursor_after, hosts_of, is_seen, json_object, module_of, name_of, search_of
from lars.web.api.problems import unknown
from lars.web.api.rows import as_module
from lars.web.roles import Role
from lars.web.spans import WINDOW


class ModuleResource(Resource):
    """/modules, and the names of modids and cmdids."""

    @endpoint("GET", "/api/v1/modules")
    async def modules(self, call: Call) -> Reply:
        """Modules that a search finds, by pages."""
        search = search_of(call.query)
        found = await self.stores.modules.find(search, (int(call.now) - WINDOW) // 60 * 60)
        following = cursor_after(search, found[-1].id) if len(found) == search.limit else None
        modules = [
            {**m.id._asdict(), "modid_name": m.modid_name, "cmdid_name": m.cmdid_name, "hosts": m.hosts} for m in found
        ]
        return Reply({"modules": modules, "next": following})

    @endpoint("GET", MODULE)
    async def module(self, call: Call, modid: int, cmdid: int) -> Reply:
        """A module with its hosts; 304 if the caller has seen it as it is."""
        module = await self.stores.modules.module(module_of(modid, cmdid))
        headers = {"ETag": f'"{module.etag}"'}
        if is_seen(module, call.headers("If-None-Match")):
            return Reply(status=304, headers=headers)
        return Reply(as_module(module), headers=headers)

    @endpoint("PUT", f"{MODULE}/hosts", Role.EDITOR)
    async def replace(self, call: Call, modid: int, cmdid: int) -> Reply:
        """Gives a module exactly these hosts."""
        module = module_of(modid, cmdid)
        body = json_object(call.body, call.headers("Content-Type"), {"hosts": True})
        edit = RouteEdit(module, add=hosts_of(body["hosts"], "hosts"), replace=True)
        return await edit_module(self.console, call, edit)

    @endpoint("POST", f"{MODULE}/hosts", Role.EDITOR)
    async def edit(self, call: Call, modid: int, cmdid: int) -> Reply:
        """Removes hosts from a module and adds others."""
        module = module_of(modid, cmdid)
        body = json_object(call.body, call.headers("Content-Type"), {"add": False, "remove": False})
        add = hosts_of(body.get("add", []), "add")
        remove = hosts_of(body.get("remove", []), "remove")
        return await edit_module(self.console, call, RouteEdit(module, add, remove))

    @endpoint("DELETE", MODULE, Role.EDITOR)
    async def empty(self, call: Call, modid: int, cmdid: int) -> Reply:
        """Removes all hosts of a module."""
        return await edit_module(self.console, call, RouteEdit(module_of(modid, cmdid), replace=True))

    @endpoint("PUT", "/api/v1/modids/<int:number>/name", Role.EDITOR)
    async def name_modid(self, call: Call, number: int) -> Reply:
        """Names a modid."""
        return await self._rename(call, "modid", number)

    @endpoint("PUT", "/api/v1/cmdids/<int:number>/name", Role.EDITOR)
    async def name_cmdid(self, call: Call, number: int) -> Reply:
        """Names a cmdid."""
        return await self._rename(call, "cmdid", number)

    async def _rename(self, call: Call, what: str, number: int) -> Reply:
        if number > MAX_ID:
            raise unknown(f"there is no {what} {number}")
        body = json_object(call.body, call.headers("Content-Type"), {"name": True})
        name = name_of(body["name"])
        await self.console.edits.rename(call.editor, call.now, what, number, name, None)
        return Reply(status=204)
