"""All routes at once by the API: export and import."""

from twisted.internet.threads import deferToThreadPool

from lars.db.routes import RouteEdit
from lars.errors import BadInput
from lars.route_formats import as_csv, as_objects, is_route, read_routes
from lars.web.api.endpoint import JSON, Call, Reply, Resource, endpoint
from lars.web.api.input import choice, flag
from lars.web.api.problems import MAX_LINES, Problem, bad
from lars.web.api.rows import as_edited
from lars.web.roles import Role


class RouteResource(Resource):
    """/routes."""

    @endpoint("GET", "/api/v1/routes")
    async def export(self, call: Call) -> Reply:
        """All routes, as JSON or CSV."""
        form = choice(call.query, "format", ("json", "csv"))
        rows = [row for row in await self.stores.routes.routes() if is_route(row)]
        if form == "csv":
            return Reply((as_csv(rows) + "\n").encode(), content_type="text/csv; charset=utf-8")
        return Reply(as_objects(rows))

    @endpoint("POST", "/api/v1/routes", Role.EDITOR)
    async def import_(self, call: Call) -> Reply:
        """Adds or replaces many routes, all of them or none."""
        kind = call.headers("Content-Type").partition(";")[0].strip().lower()
        if kind not in (JSON, "text/csv"):
            raise Problem(
                415, "Unsupported Media Type", "send CSV or JSON, with Content-Type: text/csv or application/json"
            )
        replace, rehearse = flag(call.query, "replace"), flag(call.query, "dry_run")
        reactor = self.console.reactor
        try:
            name = "body.json" if kind == JSON else "body.csv"
            routes = await deferToThreadPool(reactor, reactor.getThreadPool(), read_routes, name, call.body)
        except BadInput as error:
            raise bad(
                "some lines of the body cannot be used; nothing was changed", lines=error.problems[:MAX_LINES]
            ) from None
        edits = [RouteEdit.of_file(module, hosts, replace) for module, hosts in sorted(routes.items())]
        guarded = self.console.edits
        done = await (guarded.rehearse if rehearse else guarded.edit_many)(call.editor, call.now, edits)
        return Reply(as_edited(done))
