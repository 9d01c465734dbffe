"""Whole machines by the API: the hosts of one address, in all modules."""

from lars.errors import InvalidRoute
from lars.host_record import HostChange
from lars.route import parse_ip
from lars.web.api.endpoint import Call, Reply, Resource, endpoint
from lars.web.api.input import drain_of
from lars.web.api.problems import unknown
from lars.web.api.rows import as_edited
from lars.web.roles import Role

DRAIN = "/api/v1/machines/<ip>/drain"


class MachineResource(Resource):
    """/machines/IP."""

    @endpoint("PUT", DRAIN, Role.EDITOR)
    async def drain(self, call: Call, ip: str) -> Reply:
        """Drains all hosts of a machine."""
        return await self._edit(call, ip, HostChange(drain=drain_of(call.body, call.headers("Content-Type"), call.now)))

    @endpoint("DELETE", DRAIN, Role.EDITOR)
    async def undrain(self, call: Call, ip: str) -> Reply:
        """Ends the drains of all hosts of a machine."""
        return await self._edit(call, ip, HostChange(undrain=True))

    async def _edit(self, call: Call, ip: str, change: HostChange) -> Reply:
        try:
            address = parse_ip(ip)
        except InvalidRoute as error:
            raise unknown(str(error)) from None
        return Reply(as_edited(await self.console.edits.edit_machine(call.editor, call.now, address, change)))
