"""Import and export: what a file would change is shown before it does."""

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from twisted.internet.threads import deferToThreadPool

from lars.db.routes import EditDone, RouteEdit
from lars.errors import BadInput, InvalidRoute
from lars.route_formats import as_csv, as_objects, is_route, read_routes
from lars.web.auth.secrets import new_secret
from lars.web.console import Console
from lars.web.language import Translatable, untranslated
from lars.web.page_request import Answer, Download, Page, PageRequest, Redirect
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role

SHOWN = 200
"""Modules of a preview whose hosts are listed; of others, only the number is shown."""

KEPT = 20
"""Previews that are kept at once; the oldest go first."""

NAMED = 20
"""Bad lines of a file that are named."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a user was shown of an import."""

    user: str
    edits: tuple[RouteEdit, ...]
    digest: str


def digest_of_changes(done: EditDone) -> str:
    """A digest of the changes of an import, to notice when they differ from those shown."""
    text = "\n".join(f"{c.module} {c.texts}" for c in done.changed)
    return hashlib.sha256(text.encode()).hexdigest()


class TransferPages(PageSet):
    """/transfer: forms for a file; /transfer/export."""

    app = new_app()

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._previews: OrderedDict[str, Preview] = OrderedDict()

    @page(app, "/transfer")
    async def show(self, _request: PageRequest) -> Answer:
        """The form for a file."""
        return _form({})

    @page(app, "/transfer/export")
    async def export(self, request: PageRequest) -> Answer:
        """All routes as a file."""
        rows = [row for row in await self.console.stores.routes.routes() if is_route(row)]
        if request.field("format") == "json":
            return Download("routes.json", "application/json", json.dumps(as_objects(rows), indent=0).encode())
        return Download("routes.csv", "text/csv; charset=utf-8", (as_csv(rows) + "\n").encode())

    @page(app, "/transfer/preview", role=Role.EDITOR, form=True)
    async def preview(self, request: PageRequest) -> Answer:
        """What a file would change."""
        text = request.field("file") or request.field("text")
        typed = {"text": request.field("text")[:200_000], "replace": bool(request.field("replace"))}
        if not text.strip():
            return _form({"": (Translatable("Choose a file, or paste its content."),)}, typed)
        try:
            reactor = self.console.reactor
            routes = await deferToThreadPool(reactor, reactor.getThreadPool(), read_routes, "", text.encode())
        except BadInput as bad:
            named = [untranslated(problem.removeprefix(", ")) for problem in bad.problems[:NAMED]]
            if more := len(bad.problems) - NAMED:
                named += [Translatable("and %(n)s more", n=more)] if more > 0 else []
            return _form({"": tuple(named)}, typed)
        whole = bool(request.field("replace"))
        edits = tuple(RouteEdit.of_file(module, hosts, whole) for module, hosts in sorted(routes.items()))
        return await self._shown(request, edits, None)

    async def _shown(self, request: PageRequest, edits: tuple[RouteEdit, ...], problem: Translatable | None) -> Answer:
        try:
            done = await self.console.stores.routes.rehearse(request.actor, request.now, edits)
        except InvalidRoute as refused:
            return _form({"": (untranslated(refused),)})
        key = new_secret()
        self._previews[key] = Preview(request.actor, edits, digest_of_changes(done))
        while len(self._previews) > KEPT:
            self._previews.popitem(last=False)
        values = {
            "changed": done.changed[:SHOWN],
            "modules": len(done.changed),
            "added": sum(len(c.added) for c in done.changed),
            "removed": sum(len(c.removed) for c in done.changed),
            "named": len(edits),
            "key_": key,
            "problem": problem,
        }
        return Page("preview.html", values, 409 if problem else 200)

    @page(app, "/transfer/import", role=Role.EDITOR, form=True)
    async def import_(self, request: PageRequest) -> Answer:
        """Makes the changes of a preview if they are still those that were shown."""
        preview = self._previews.pop(request.field("preview"), None)
        if preview is None or preview.user != request.actor:
            return _form({"": (Translatable("This preview is no longer kept: choose the file again."),)})
        done = await self.console.stores.routes.edit_as_shown(
            request.actor, request.now, preview.edits, lambda would: digest_of_changes(would) == preview.digest
        )
        if done is None:
            return await self._shown(
                request,
                preview.edits,
                Translatable("Routes have been edited since: this is what would change now."),
            )
        return Redirect(f"/modules?notice={'imported' if done.changed else 'same'}&n={len(done.changed)}")


def _form(errors: dict[str, tuple[Translatable, ...]], typed: dict[str, Any] | None = None) -> Page:
    values = {"errors": errors, "typed": typed or {"text": "", "replace": False}}
    return Page("transfer.html", values, 422 if errors else 200)
