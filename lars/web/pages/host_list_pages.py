"""All hosts of a large module: finding and sorting them, and one edit of all that are found."""

from dataclasses import replace
from typing import Any

from lars.db.modules import EditConflict, Module
from lars.db.routes import RouteEdit
from lars.errors import InvalidRoute
from lars.host_record import KEEP, MAX_WEIGHT, HostChange, weight
from lars.route import HostAddress, ModuleId
from lars.web.language import Errors, Translatable, untranslated
from lars.web.live.host_search import ORDERS, STATES, HostSearch
from lars.web.live.host_stats import PAGE, host_page
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.forms import FormError, parse_drain
from lars.web.pages.module_pages import address, known
from lars.web.pages.page_set import PageSet, new_app, page
from lars.web.roles import Role
from lars.web.spans import WINDOW

CONFLICT = Translatable(
    "The hosts that this search finds have changed since. They are shown here as they are now, and what you typed is "
    "kept: compare both, then try again."
)

_LIST = "/host-list/<int:modid>/<int:cmdid>"


class HostListPages(PageSet):
    """/host-list/…"""

    app = new_app()

    @page(app, _LIST)
    async def show(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """The hosts that a search finds, by pages."""
        return await self._page(request, known(modid, cmdid), {}, 200)

    async def _page(self, request: PageRequest, id_: ModuleId, errors: Errors, status: int) -> Page:
        watched, hosts = await self.console.live.watched(id_)
        search = _search(request)
        found = search.of(hosts)
        pages = max(1, -(-len(found) // PAGE))
        number = request.number("page", 1, 1, pages)
        values: dict[str, Any] = {
            "module": watched.module,
            "all": len(watched.module.hosts),
            "found": len(found),
            "hosts": host_page(found, number),
            "seen": _seen(watched.module, [h.host for h in found]),
            "search": search,
            "states": STATES,
            "number": number,
            "pages": pages,
            "errors": errors,
            "typed": request.fields if errors else {},
            "window": WINDOW // 60,
        }
        return Page("host_list.html", values, status)

    @page(app, f"{_LIST}/drain", role=Role.EDITOR, form=True)
    async def drain(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Drains all hosts that are found."""
        id_ = _editable(request, modid, cmdid)
        try:
            drain = parse_drain(request.field("time"), request.field("reason"), request.now)
        except FormError as bad:
            return await self._page(request, id_, bad.errors, 422)
        return await self._change(request, id_, HostChange(drain=drain), "drained")

    @page(app, f"{_LIST}/undrain", role=Role.EDITOR, form=True)
    async def undrain(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Ends the drains of all hosts that are found."""
        return await self._change(request, _editable(request, modid, cmdid), HostChange(undrain=True), "undrained")

    @page(app, f"{_LIST}/weight", role=Role.EDITOR, form=True)
    async def weigh(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Gives all hosts that are found one weight."""
        id_ = _editable(request, modid, cmdid)
        try:
            change = HostChange(weight=weight(request.field("weight").strip()))
        except InvalidRoute:
            problem = Translatable("Write a whole number from 0 to %(most)s.", most=MAX_WEIGHT)
            return await self._page(request, id_, {"weight": problem}, 422)
        return await self._change(request, id_, change, "changed")

    @page(app, f"{_LIST}/remove", role=Role.EDITOR, form=True)
    async def remove(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Removes all hosts that are found; their number must have been typed."""
        id_ = _editable(request, modid, cmdid)
        module, found = await self._found(request, id_)
        if _seen(module, found) != request.field("seen"):
            return await self._page(request, id_, {"": CONFLICT}, 409)
        if request.field("count").strip() != str(len(found)):
            problem = Translatable("Write %(n)s, the number of hosts to remove.", n=len(found))
            return await self._page(request, id_, {"count": problem}, 422)
        return await self._edit(request, RouteEdit(id_, remove=frozenset(found)), module.seen, "removed")

    async def _change(self, request: PageRequest, id_: ModuleId, change: HostChange, done: str) -> Answer:
        _module, found = await self._found(request, id_)
        edit = RouteEdit(id_, change=dict.fromkeys(found, change))
        return await self._edit(request, edit, request.field("seen"), done)

    async def _found(self, request: PageRequest, id_: ModuleId) -> tuple[Module, list[HostAddress]]:
        watched, hosts = await self.console.live.watched(id_)
        return watched.module, [h.host for h in _search(request).of(hosts)]

    async def _edit(self, request: PageRequest, edit: RouteEdit, seen: str, done: str) -> Answer:
        try:
            changed = (await self.console.edits.edit(request.editor, request.now, edit, seen)).changed
        except EditConflict:
            return await self._page(request, edit.module, {"": CONFLICT}, 409)
        except InvalidRoute as refused:
            return await self._page(request, edit.module, {"": untranslated(refused)}, 422)
        n = sum(len(one.altered) + len(one.removed) for one in changed)
        return Redirect(f"{address(edit.module)}?notice={done if n else 'same'}&n={n}")


def _editable(request: PageRequest, modid: int, cmdid: int) -> ModuleId:
    """The module; raises NotPermitted before anything is said of what was typed."""
    module = known(modid, cmdid)
    request.editor.check([module])
    return module


def _search(request: PageRequest) -> HostSearch:
    search = HostSearch(request.field("q").strip()[:200], descending=request.field("way") == "down")
    state, sort = request.field("state"), request.field("sort")
    return replace(search, state=state if state in STATES else "", sort=sort if sort in ORDERS else "host")


def _seen(module: Module, hosts: list[HostAddress]) -> str:
    """The digest of hosts and their records, to notice when other hosts are found or somebody has edited one."""
    return module.seen_by(RouteEdit(module.id, change=dict.fromkeys(hosts, KEEP)))
