"""Who edited what by the API: the audit, and the versions of routes."""

from lars.route import MAX_ID, ModuleId
from lars.web.api.endpoint import Call, Reply, Resource, endpoint
from lars.web.api.input import number
from lars.web.api.rows import as_edit


class AuditResource(Resource):
    """/audit and /versions."""

    @endpoint("GET", "/api/v1/audit")
    async def audit(self, call: Call) -> Reply:
        """The audit of edits, the newest first."""
        module = None
        if "modid" in call.query or "cmdid" in call.query:
            ids = (number(call.query, name, 0, 0, MAX_ID) for name in ("modid", "cmdid"))
            module = ModuleId(*ids)
        limit = call.limit
        rows = await self.stores.audit.edits(module, call.before, limit)
        return Reply({"edits": [as_edit(row) for row in rows], "next": rows[-1].id if len(rows) == limit else None})

    @endpoint("GET", "/api/v1/versions")
    async def versions(self, call: Call) -> Reply:
        """The route version, and its latest changes."""
        limit = call.limit
        version, rows = await self.stores.audit.changes(call.before, limit)
        changes = [{"id": r.id, "modid": r.modid, "cmdid": r.cmdid, "version": r.version} for r in rows]
        return Reply({"version": version, "changes": changes, "next": rows[-1].id if len(rows) == limit else None})
