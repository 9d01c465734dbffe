"""Who edited what: the audit, the versions of routes, and how many agents have each."""

from lars.route import ModuleId
from lars.web.page_request import Answer, Page, PageRequest
from lars.web.pages.page_set import NotFound, PageSet, new_app, page

PAGE = 50
"""Rows on a page."""


class AuditPages(PageSet):
    """/audit."""

    app = new_app()

    @page(app, "/audit")
    async def list(self, request: PageRequest) -> Answer:
        """The edits of all modules or of one, the newest first."""
        module = None
        if request.field("modid").isdigit() and request.field("cmdid").isdigit():
            module = ModuleId(request.number("modid", 0, 0, 2**31 - 1), request.number("cmdid", 0, 0, 2**31 - 1))
        before = request.number("before", 2**62, 0, 2**62)
        rows = await self.console.stores.audit.edits(module, before, PAGE + 1)
        more = rows[PAGE - 1].id if len(rows) > PAGE else None
        return Page("audit.html", {"rows": rows[:PAGE], "module": module, "more": more})


class VersionPages(PageSet):
    """/versions and all below."""

    app = new_app()

    @page(app, "/versions")
    async def list(self, request: PageRequest) -> Answer:
        """The route version and its changes, the newest first."""
        version, rows = await self.console.stores.audit.changes(request.number("before", 2**62, 0, 2**62), PAGE + 1)
        more = rows[PAGE - 1].id if len(rows) > PAGE else None
        newest = await self.console.stores.held_routes.progress(version)
        return Page("versions.html", {"version": version, "rows": rows[:PAGE], "more": more, "progress": newest})

    @page(app, "/versions/<int:version>")
    async def version(self, _request: PageRequest, version: int) -> Answer:
        """Which agents have the change of a version."""
        if version >= 2**63:
            raise NotFound(f"there is no version {version}")
        progress = await self.console.stores.held_routes.progress(version)
        return Page("version.html", {"progress": progress})
