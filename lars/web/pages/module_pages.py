"""The modules: finding them, one module's page, and the forms that edit its hosts and names."""

from dataclasses import dataclass, replace
from typing import Any

from lars.db.modules import SORTS, EditConflict, ModuleSearch
from lars.db.reports import STALE_AFTER
from lars.db.routes import RouteEdit
from lars.errors import InvalidRoute
from lars.module_settings import from_json
from lars.route import HostAddress, ModuleId, module_id, parse_host
from lars.web.language import Translatable, untranslated
from lars.web.live.host_stats import PAGE as HOSTS
from lars.web.live.host_stats import host_page, zone_calls
from lars.web.live.payloads import module_payload
from lars.web.page_request import Answer, Page, PageRequest, Redirect
from lars.web.pages.charts import chart, spark
from lars.web.pages.forms import BadHosts, FormError, parse_hosts, parse_module, parse_name
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.pages.settings_form import texts_of
from lars.web.roles import Role
from lars.web.spans import SPANS, WINDOW, start_of

PAGE = 50
"""Modules on a page of the list."""

CALLERS = 50
"""Views of callers that a module's page shows, those of hosts that are not healthy first."""

EDITS = 10
"""Edits that a module's page shows."""

CONFLICT = Translatable(
    "Somebody else has edited this module since. Its current state is shown here, and what you typed is kept: "
    "compare both, then save again."
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form of the module's page, and what is wrong with it."""

    form: str = ""
    text: str = ""
    problems: tuple[Translatable, ...] = ()
    more: int = 0
    status: int = 200


class ModulePages(PageSet):
    """/modules and all below."""

    app = new_app()

    @page(app, "/modules")
    async def list(self, request: PageRequest) -> Answer:
        """The modules that a search finds, by pages."""
        modules, calls = self.console.stores.modules, self.console.stores.calls
        sort = request.field("sort") if request.field("sort") in SORTS else "module"
        text, number = request.field("q").strip()[:200], request.number("page", 1, 1, 10**6)
        down = request.field("way") == "down"
        since = (int(request.now) - WINDOW) // 60 * 60
        troubled = request.field("show") == "troubled"
        ejected_since = int(request.now) - STALE_AFTER if troubled else None
        search = ModuleSearch(text, sort, down, (number - 1) * PAGE, PAGE, ejected_since=ejected_since)
        found = await modules.find(search, since)
        if troubled:
            total = await modules.count_troubled(search, since)
        else:
            total = await self.console.module_counts.of(text)
        ids = [module.id for module in found]
        values: dict[str, Any] = {
            "found": found,
            "counted": await calls.calls(ids, since) if ids else {},
            "states": await self.console.stores.host_states.states(ids, request.now) if ids else {},
            "total": total,
            "pages": max(1, -(-total // PAGE)),
            "number": number,
            "q": text,
            "show": "troubled" if troubled else "",
            "sort": sort,
            "way": "down" if down else "up",
            "window": WINDOW // 60,
        }
        return Page("modules.html", values)

    @page(app, "/modules/new", role=Role.EDITOR)
    async def new(self, request: PageRequest) -> Answer:
        """An empty form for a module."""
        fields = {name: request.field(name) for name in ("modid", "cmdid", "hosts")}
        return Page("module_new.html", {"typed": fields, "errors": {}, "problems_": (), "more": 0})

    @page(app, "/modules/new", role=Role.EDITOR, form=True)
    async def add(self, request: PageRequest) -> Answer:
        """Adds hosts to a module that need not exist yet."""
        fields = {name: request.field(name) for name in ("modid", "cmdid", "hosts")}
        values: dict[str, Any] = {"typed": fields, "errors": {}, "problems_": (), "more": 0}
        try:
            module = parse_module(fields["modid"], fields["cmdid"])
        except FormError as bad:
            values["errors"] = bad.errors
        try:
            hosts = parse_hosts(fields["hosts"])
        except BadHosts as wrong:
            values |= {"problems_": wrong.problems, "more": wrong.more}
        if values["errors"] or values["problems_"]:
            return Page("module_new.html", values, 422)
        edit = RouteEdit(module, add=hosts)
        done = await self.console.edits.edit(request.editor, request.now, edit, None)
        added = len(done.changed[0].added) if done.changed else 0
        return Redirect(f"{address(module)}?notice={'added' if added else 'same'}&n={added}")

    @page(app, "/modules/<int:modid>/<int:cmdid>")
    async def module(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """One module: its hosts, their calls over time, its edits."""
        return await self._page(request, known(modid, cmdid), Typed())

    async def _page(self, request: PageRequest, module: ModuleId, typed: Typed) -> Page:
        span = request.field("span") if request.field("span") in SPANS else "1h"
        watched, hosts = await self.console.live.watched(module)
        _length, step = SPANS[span]
        number = request.number("page", 1, 1, max(1, -(-len(hosts) // HOSTS)))
        shown, calls, since = host_page(hosts, number), self.console.stores.calls, start_of(request.now, span)
        settings, ignored = from_json(watched.module.settings)
        history = await calls.history(module, since, step, [h.host for h in shown])
        by_host: dict[HostAddress, dict[int, tuple[int, int]]] = {}
        for bucket in history:
            by_host.setdefault(bucket.host, {})[bucket.at] = (bucket.succ, bucket.err)
        values = {
            "module": watched.module,
            "hosts": shown,
            "zones": zone_calls(hosts),
            "number": number,
            "pages": max(1, -(-len(hosts) // HOSTS)),
            "live": module_payload(watched, hosts, number),
            "chart": chart(await calls.totals(module, since, step), request.now, span, request.zone),
            "sparks": {h.host: spark(by_host.get(h.host, {}), request.now, span) for h in shown},
            "span": span,
            "spans": tuple(SPANS),
            "most_callers": CALLERS,
            "callers": await self.console.stores.callers.views(module.modid, module.cmdid, CALLERS),
            "edits": await self.console.stores.audit.edits(module, None, EDITS),
            "settings": texts_of(settings),
            "ignored": ignored,
            "typed": typed,
            "window": WINDOW // 60,
        }
        return Page("module.html", values, typed.status)

    @page(app, "/modules/<int:modid>/<int:cmdid>/add", role=Role.EDITOR, form=True)
    async def add_hosts(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Adds hosts."""
        module, text = known(modid, cmdid), request.field("hosts")
        try:
            hosts = parse_hosts(text)
        except BadHosts as bad:
            return await self._page(request, module, Typed("add", text, bad.problems, bad.more, 422))
        return await self._edit(request, RouteEdit(module, add=hosts), Typed("add", text), "added")

    @page(app, "/modules/<int:modid>/<int:cmdid>/remove", role=Role.EDITOR, form=True)
    async def remove_hosts(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Removes hosts."""
        module = known(modid, cmdid)
        hosts = frozenset(parse_host(word) for word in request.field("host").split())
        return await self._edit(request, RouteEdit(module, remove=hosts), Typed("remove"), "removed")

    @page(app, "/modules/<int:modid>/<int:cmdid>/replace", role=Role.EDITOR, form=True)
    async def replace_hosts(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Replaces the hosts that people added by a list; hosts that registered themselves stay."""
        module, text = known(modid, cmdid), request.field("hosts")
        try:
            hosts = parse_hosts(text, needed=False)
        except BadHosts as bad:
            return await self._page(request, module, Typed("replace", text, bad.problems, bad.more, 422))
        return await self._edit(request, RouteEdit(module, add=hosts, replace=True), Typed("replace", text), "replaced")

    async def _edit(self, request: PageRequest, edit: RouteEdit, typed: Typed, done: str) -> Answer:
        try:
            done_ = await self.console.edits.edit(request.editor, request.now, edit, request.field("seen"))
        except EditConflict:
            return await self._page(request, edit.module, replace(typed, problems=(CONFLICT,), status=409))
        except InvalidRoute as refused:
            problems = (untranslated(refused),)
            return await self._page(request, edit.module, replace(typed, problems=problems, status=422))
        changed = done_.changed
        n = len(changed[0].added) + len(changed[0].removed) if changed else 0
        return Redirect(f"{address(edit.module)}?notice={done if n else 'same'}&n={n}")

    @page(app, "/modules/<int:modid>/<int:cmdid>/names", role=Role.EDITOR)
    async def names(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """A form for the names of the module's modid and cmdid."""
        module = await self.console.stores.modules.module(known(modid, cmdid))
        request.editor.check([module.id])
        return Page("names.html", {"module": module, "errors": {}, "typed": {}})

    @page(app, "/modules/<int:modid>/<int:cmdid>/names", role=Role.EDITOR, form=True)
    async def rename(self, request: PageRequest, modid: int, cmdid: int) -> Answer:
        """Names a modid or a cmdid."""
        id_ = known(modid, cmdid)
        what = "modid" if request.field("what") == "modid" else "cmdid"
        errors, status = {}, 422
        try:
            name = parse_name(request.field("name"))
            changed = await self.console.edits.rename(
                request.editor, request.now, what, modid if what == "modid" else cmdid, name, request.field("seen")
            )
            return Redirect(f"{address(id_)}?notice={'renamed' if changed else 'same'}")
        except FormError as bad:
            errors = {what: bad.errors["name"]}
        except EditConflict:
            errors, status = {what: CONFLICT}, 409
        module = await self.console.stores.modules.module(id_)
        return Page("names.html", {"module": module, "errors": errors, "typed": {what: request.field("name")}}, status)


def address(module: ModuleId) -> str:
    """The address of a module's page."""
    return f"/modules/{module.modid}/{module.cmdid}"


def known(modid: int, cmdid: int) -> ModuleId:
    """A module of a path. Raises NotFound if there can be none of these numbers."""
    try:
        return module_id(modid, cmdid)
    except InvalidRoute as error:
        raise NotFound(str(error)) from None
