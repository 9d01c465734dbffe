"""Import and export: what a file would change is shown before it does."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from twisted.internet.threads import deferToThreadPool

from lars.db.routes import EditDone, RouteEdit
from lars.errors import BadInput, InvalidRoute, LarsError
from lars.route_formats import Routes, as_csv, as_file, as_objects, is_route, read_routes
from lars.web.language import Translatable, untranslated
from lars.web.page_request import Answer, Download, Page, PageRequest, Redirect
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role

SHOWN = 200
"""Modules of a preview whose hosts are listed; of others, only the number is shown."""

MOST = 64 * 1024 * 1024
"""Bytes of the routes in the form of a preview, unpacked."""

NAMED = 20
"""Bad lines of a file that are named."""


T = TypeVar("T")


class BadPreview(LarsError):
    """The form of a preview does not hold what lars-web wrote there."""


def packed(routes: Routes) -> str:
    """Routes as a field of a form, which any lars-web can unpack."""
    return base64.urlsafe_b64encode(zlib.compress(as_file(routes).encode(), 1)).decode()


def unpacked(field: str) -> Routes:
    """The routes of a packed field. Raises BadPreview."""
    try:
        reader = zlib.decompressobj()
        text = reader.decompress(base64.b64decode(field.encode(), b"-_", validate=True), MOST)
        if not reader.eof:
            raise BadPreview("the form is cut off or too large: choose the file again")
        return read_routes("preview", text)
    except (ValueError, zlib.error, BadInput):
        raise BadPreview("the form was changed on its way: choose the file again") from None


def digest_of_changes(done: EditDone) -> str:
    """A digest of the changes of an import, to notice when they differ from those shown."""
    text = "\n".join(f"{c.module} {c.texts}" for c in done.changed)
    return hashlib.sha256(text.encode()).hexdigest()


class TransferPages(PageSet):
    """/transfer: forms for a file; /transfer/export."""

    app = new_app()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Does what takes long for a large file."""
        reactor = self.console.reactor
        return await deferToThreadPool(reactor, reactor.getThreadPool(), work)

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
            routes = await self._in_thread(lambda: read_routes("", text.encode()))
        except BadInput as bad:
            named = [untranslated(problem.removeprefix(", ")) for problem in bad.problems[:NAMED]]
            if more := len(bad.problems) - NAMED:
                named += [Translatable("and %(n)s more", n=more)] if more > 0 else []
            return _form({"": tuple(named)}, typed)
        return await self._shown(request, routes, None)

    async def _shown(self, request: PageRequest, routes: Routes, problem: Translatable | None) -> Answer:
        edits = _edits(request, routes)
        try:
            done = await self.console.edits.rehearse(request.editor, request.now, edits)
        except InvalidRoute as refused:
            return _form({"": (untranslated(refused),)})
        values = {
            "changed": done.changed[:SHOWN],
            "modules": len(done.changed),
            "added": sum(len(c.added) for c in done.changed),
            "removed": sum(len(c.removed) for c in done.changed),
            "named": len(edits),
            "routes": await self._in_thread(lambda: packed(routes)) if done.changed else "",
            "replace": bool(request.field("replace")),
            "digest": digest_of_changes(done),
            "problem": problem,
        }
        return Page("preview.html", values, 409 if problem else 200)

    @page(app, "/transfer/import", role=Role.EDITOR, form=True)
    async def import_(self, request: PageRequest) -> Answer:
        """Makes the changes of a preview if they are still those that were shown."""
        try:
            routes = await self._in_thread(lambda: unpacked(request.field("routes")))
        except BadPreview as bad:
            return _form({"": (untranslated(bad),)})
        shown = request.field("digest")
        done = await self.console.edits.edit_as_shown(
            request.editor, request.now, _edits(request, routes), lambda would: digest_of_changes(would) == shown
        )
        if done is None:
            problem = Translatable("Routes have been edited since: this is what would change now.")
            return await self._shown(request, routes, problem)
        return Redirect(f"/modules?notice={'imported' if done.changed else 'same'}&n={len(done.changed)}")


def _edits(request: PageRequest, routes: Routes) -> Sequence[RouteEdit]:
    whole = bool(request.field("replace"))
    return [RouteEdit.of_file(module, hosts, whole) for module, hosts in sorted(routes.items())]


def _form(errors: dict[str, tuple[Translatable, ...]], typed: dict[str, Any] | None = None) -> Page:
    values = {"errors": errors, "typed": typed or {"text": "", "replace": False}}
    return Page("transfer.html", values, 422 if errors else 200)
