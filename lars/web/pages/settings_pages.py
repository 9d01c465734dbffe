"""The settings of a module: their form."""

from collections.abc import Mapping

from lars.db.modules import EditConflict
from lars.db.routes import RouteEdit
from lars.module_settings import from_json
from lars.route import ModuleId
from lars.web.language import Errors
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError
from lars.web.pages.module_pages import CONFLICT, known
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.pages.settings_form import field_groups, parse_settings, texts_of
from lars.web.roles import Role

_MODULE = "/settings/<int:modid>/<int:cmdid>"


class SettingsPages(PageSet):
    """/settings/…"""

    app = new_app()

    @page(app, _MODULE, role=Role.EDITOR)
    async def show(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """The form with what the module sets."""
        module = known(modid, cmdid)
        request.editor.check([module])
        return await self._page(module, None, {}, 200)

    async def _page(self, id_: ModuleId, texts: Mapping[str, str] | None, errors: Errors, status: int) -> Page:
        module = await self.console.stores.modules.module(id_)
        settings, ignored = from_json(module.settings)
        values = {
            "module": module,
            "seen": module.seen_by(RouteEdit(id_, settings=lambda now: now)),
            "groups": field_groups(texts_of(settings) if texts is None else texts),
            "stored": settings.keys(),
            "ignored": ignored,
            "errors": errors,
        }
        return Page("settings.html", values, status)

    @page(app, _MODULE, role=Role.EDITOR, form=True)
    async def save(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Replaces the settings of the module by those of the form."""
        module = known(modid, cmdid)
        try:
            settings = parse_settings(request.fields)
        except FormError as bad:
            return await self._page(module, request.fields, bad.errors, 422)
        edit = RouteEdit(module, settings=lambda _now: settings)
        try:
            done = await self.console.edits.edit(request.editor, request.now, edit, request.field("seen"))
        except EditConflict:
            return await self._page(module, request.fields, {"": CONFLICT}, 409)
        return Redirect(f"/settings/{modid}/{cmdid}?notice={'settings' if done.changed else 'same'}")
