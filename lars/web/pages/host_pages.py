"""A host of a module: its state and its record, and the forms that edit and drain it."""

from lars.db.modules import EditConflict
from lars.db.routes import RouteEdit
from lars.errors import InvalidRoute
from lars.host_record import KEEP, HostChange
from lars.route import HostAddress, ModuleId, parse_host
from lars.web.language import Errors, untranslated
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_drain, parse_record
from lars.web.pages.module_pages import CALLERS, CONFLICT, known
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.roles import Role
from lars.web.spans import WINDOW

_HOST = "/hosts/<int:modid>/<int:cmdid>/<address>"


class HostPages(PageSet):
    """/hosts/…"""

    app = new_app()

    @page(app, _HOST)
    async def show(self, request: PageRequest, modid: int, cmdid: int, address: str) -> Answer:
        """One host."""
        return await self._page(request, known(modid, cmdid), known_host(address), {}, 200)

    async def _page(
        self, request: PageRequest, module: ModuleId, host: HostAddress, errors: Errors, status: int
    ) -> Page:
        watched, hosts = await self.console.live.watched(module)
        found = [h for h in hosts if h.host == host and h.in_route]
        if not found:
            raise NotFound(f"module {module} has no host {host}")
        values = {
            "module": watched.module,
            "h": found[0],
            "lease": watched.module.leases.get(host),
            "seen": watched.module.seen_by(RouteEdit(module, change={host: KEEP})),
            "callers": await self.console.stores.callers.views_of_host(module, host, CALLERS),
            "machine": await self.console.stores.machines.machine(host.ip),
            "errors": errors,
            "typed": request.fields if errors else {},
            "window": WINDOW // 60,
        }
        return Page("host.html", values, status)

    @page(app, f"{_HOST}/edit", role=Role.EDITOR, form=True)
    async def edit(self, request: PageRequest, modid: int, cmdid: int, address: str) -> Answer:
        """Saves weight, zone, tags and note."""
        module, host = known(modid, cmdid), known_host(address)
        try:
            change = parse_record(request.fields)
        except FormError as bad:
            return await self._page(request, module, host, bad.errors, 422)
        return await self._change(request, module, host, change, "host")

    @page(app, f"{_HOST}/drain", role=Role.EDITOR, form=True)
    async def drain(self, request: PageRequest, modid: int, cmdid: int, address: str) -> Answer:
        """Drains the host, or changes the end and the reason of its drain."""
        module, host = known(modid, cmdid), known_host(address)
        try:
            drain = parse_drain(request.field("time"), request.field("reason"), request.now)
        except FormError as bad:
            return await self._page(request, module, host, bad.errors, 422)
        return await self._change(request, module, host, HostChange(drain=drain), "drained")

    @page(app, f"{_HOST}/undrain", role=Role.EDITOR, form=True)
    async def undrain(self, request: PageRequest, modid: int, cmdid: int, address: str) -> Answer:
        """Ends the host's drain."""
        return await self._change(
            request, known(modid, cmdid), known_host(address), HostChange(undrain=True), "undrained"
        )

    async def _change(
        self, request: PageRequest, module: ModuleId, host: HostAddress, change: HostChange, done: str
    ) -> Answer:
        edit = RouteEdit(module, change={host: change})
        try:
            edited = await self.console.edits.edit(request.editor, request.now, edit, request.field("seen"))
        except EditConflict:
            return await self._page(request, module, host, {"": CONFLICT}, 409)
        except InvalidRoute as refused:
            return await self._page(request, module, host, {"": untranslated(refused)}, 422)
        return Redirect(f"/hosts/{module.modid}/{module.cmdid}/{host}?notice={done if edited.changed else 'same'}&n=1")


def known_host(address: str) -> HostAddress:
    """A host of a path. Raises NotFound if there can be none of this address."""
    try:
        return parse_host(address)
    except InvalidRoute as error:
        raise NotFound(str(error)) from None
