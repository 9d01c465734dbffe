"""The settings of a module by the API, by the schema of lars.module_settings."""

from lars.db.routes import RouteEdit
from lars.module_settings import checked, from_json
from lars.web.api.edits import edit_module
from lars.web.api.endpoint import MODULE, Call, Reply, Resource, endpoint
from lars.web.api.input import any_object, is_seen, module_of
from lars.web.roles import Role


class SettingsResource(Resource):
    """/modules/MODID/CMDID/settings."""

    @endpoint("GET", f"{MODULE}/settings")
    async def settings(self, call: Call, modid: int, cmdid: int) -> Reply:
        """What a module sets; 304 if the caller has seen the module as it is."""
        module = await self.stores.modules.module(module_of(modid, cmdid))
        headers = {"ETag": f'"{module.etag}"'}
        if is_seen(module, call.headers("If-None-Match")):
            return Reply(status=304, headers=headers)
        return Reply(dict(from_json(module.settings)[0]), headers=headers)

    @endpoint("PUT", f"{MODULE}/settings", Role.EDITOR)
    async def set(self, call: Call, modid: int, cmdid: int) -> Reply:
        """Gives a module exactly these settings."""
        module = module_of(modid, cmdid)
        settings = checked(any_object(call.body, call.headers("Content-Type")))
        return await edit_module(self.console, call, RouteEdit(module, settings=lambda _before: settings))
