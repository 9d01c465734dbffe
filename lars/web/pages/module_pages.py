"""The modules: finding them, one module's page, and the forms that edit its hosts and names."""

from dataclasses import dataclass, replace
from typing import Any

from klein import Klein

from lars.db.modules import SORTS, EditConflict, ModuleSearch
from lars.db.routes import RouteEdit
from lars.errors import InvalidRoute
from lars.route import HostAddress, ModuleId, module_id, parse_host
from lars.web.auth.access import Door, NotFound, guard, page
from lars.web.language import Said
from lars.web.live.live import WINDOW, module_event
from lars.web.page_request import Answer, Elsewhere, Page, Visit
from lars.web.pages.charts import SPANS, chart, spark, start_of, totals
from lars.web.pages.forms import BadHosts, FormError, parse_hosts, parse_module, parse_name
from lars.web.roles import Role

PAGE = 50
"""Modules on a page of the list."""

EDITS = 10
"""Edits that a module's page shows."""

CONFLICT = Said(
    "Somebody else has edited this module meanwhile. What stands now is shown here, and what you typed is kept: "
    "look at both, then save again."
)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form of the module's page is shown with again, and what is wrong with it."""

    form: str = ""
    text: str = ""
    problems: tuple[Said, ...] = ()
    more: int = 0
    status: int = 200


class ModulePages:
    """/modules and all below."""

    app = Klein()
    guard(app)

    def __init__(self, door: Door) -> None:
        self.door = door
        self.console = door.console

    @page(app, "/modules")
    async def list(self, visit: Visit) -> Answer:
        modules, calls = self.console.stores.modules, self.console.stores.calls
        sort = visit.field("sort") if visit.field("sort") in SORTS else "module"
        text, number = visit.field("q").strip()[:200], visit.number("page", 1, 1, 10**6)
        down = visit.field("way") == "down"
        since = (int(visit.now) - WINDOW) // 60 * 60
        found = await modules.find(ModuleSearch(text, sort, down, (number - 1) * PAGE, PAGE), since)
        total = await self.console.counts.of(text)
        ids = [module.id for module in found]
        values: dict[str, Any] = {
            "found": found,
            "counted": await calls.calls(ids, since) if ids else {},
            "states": await calls.states(ids, visit.now) if ids else {},
            "total": total,
            "pages": max(1, -(-total // PAGE)),
            "number": number,
            "q": text,
            "sort": sort,
            "way": "down" if down else "up",
            "window": WINDOW // 60,
        }
        return Page("modules.html", values)

    @page(app, "/modules/new", role=Role.EDITOR)
    async def new(self, visit: Visit) -> Answer:
        fields = {name: visit.field(name) for name in ("modid", "cmdid", "hosts")}
        return Page("module_new.html", {"typed": fields, "errors": {}, "problems_": (), "more": 0})

    @page(app, "/modules/new", role=Role.EDITOR, form=True)
    async def add(self, visit: Visit) -> Answer:
        fields = {name: visit.field(name) for name in ("modid", "cmdid", "hosts")}
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
        done = await self.console.stores.modules.edit(visit.actor, visit.now, edit, None)
        added = len(done.changed[0].added) if done.changed else 0
        return Elsewhere(f"{address(module)}?said={'added' if added else 'same'}&n={added}")

    @page(app, "/modules/<int:modid>/<int:cmdid>")
    async def module(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        return await self._page(visit, known(modid, cmdid), Typed())

    async def _page(self, visit: Visit, module: ModuleId, typed: Typed) -> Page:
        span = visit.field("span") if visit.field("span") in SPANS else "1h"
        watched, figures = await self.console.live.watched(module)
        _length, step = SPANS[span]
        history = await self.console.stores.calls.history(module, start_of(visit.now, span), step)
        by_host: dict[HostAddress, dict[int, tuple[int, int]]] = {}
        for bucket in history:
            by_host.setdefault(bucket.host, {})[bucket.at] = (bucket.succ, bucket.err)
        values = {
            "module": watched.module,
            "figures": figures,
            "live": module_event(watched),
            "chart": chart(totals((b.at, b.succ, b.err) for b in history), visit.now, span, visit.zone),
            "sparks": {figure.host: spark(by_host.get(figure.host, {}), visit.now, span) for figure in figures},
            "span": span,
            "spans": tuple(SPANS),
            "edits": await self.console.stores.audit.edits(module, None, EDITS),
            "typed": typed,
            "window": WINDOW // 60,
        }
        return Page("module.html", values, typed.status)

    @page(app, "/modules/<int:modid>/<int:cmdid>/add", role=Role.EDITOR, form=True)
    async def add_hosts(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        module, text = known(modid, cmdid), visit.field("hosts")
        try:
            hosts = parse_hosts(text)
        except BadHosts as bad:
            return await self._page(visit, module, Typed("add", text, bad.problems, bad.more, 422))
        return await self._edit(visit, RouteEdit(module, add=hosts), Typed("add", text), "added")

    @page(app, "/modules/<int:modid>/<int:cmdid>/remove", role=Role.EDITOR, form=True)
    async def remove_hosts(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        module = known(modid, cmdid)
        hosts = frozenset(parse_host(word) for word in visit.field("host").split())
        return await self._edit(visit, RouteEdit(module, remove=hosts), Typed("remove"), "removed")

    @page(app, "/modules/<int:modid>/<int:cmdid>/replace", role=Role.EDITOR, form=True)
    async def replace_hosts(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        """The pasted list is what people keep; hosts that registered themselves stay."""
        module, text = known(modid, cmdid), visit.field("hosts")
        try:
            hosts = parse_hosts(text, needed=False)
        except BadHosts as bad:
            return await self._page(visit, module, Typed("replace", text, bad.problems, bad.more, 422))
        return await self._edit(visit, RouteEdit(module, add=hosts, replace=True), Typed("replace", text), "replaced")

    async def _edit(self, visit: Visit, edit: RouteEdit, typed: Typed, done: str) -> Answer:
        modules = self.console.stores.modules
        try:
            changed = (await modules.edit(visit.actor, visit.now, edit, visit.field("seen"))).changed
        except EditConflict:
            return await self._page(visit, edit.module, replace(typed, problems=(CONFLICT,), status=409))
        except InvalidRoute as refused:
            problems = (Said("%(text)s", text=refused),)
            return await self._page(visit, edit.module, replace(typed, problems=problems, status=422))
        n = len(changed[0].added) + len(changed[0].removed) if changed else 0
        return Elsewhere(f"{address(edit.module)}?said={done if n else 'same'}&n={n}")

    @page(app, "/modules/<int:modid>/<int:cmdid>/names", role=Role.EDITOR)
    async def names(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        module = await self.console.stores.modules.module(known(modid, cmdid))
        return Page("names.html", {"module": module, "errors": {}, "typed": {}})

    @page(app, "/modules/<int:modid>/<int:cmdid>/names", role=Role.EDITOR, form=True)
    async def rename(self, visit: Visit, modid: int, cmdid: int) -> Answer:
        id_ = known(modid, cmdid)
        what = "modid" if visit.field("what") == "modid" else "cmdid"
        errors, status = {}, 422
        try:
            name = parse_name(visit.field("name"))
            changed = await self.console.stores.modules.rename(
                visit.actor, visit.now, what, modid if what == "modid" else cmdid, name, visit.field("seen")
            )
            return Elsewhere(f"{address(id_)}?said={'renamed' if changed else 'same'}")
        except FormError as bad:
            errors = {what: bad.errors["name"]}
        except EditConflict:
            errors, status = {what: CONFLICT}, 409
        module = await self.console.stores.modules.module(id_)
        return Page("names.html", {"module": module, "errors": errors, "typed": {what: visit.field("name")}}, status)


def address(module: ModuleId) -> str:
    """Where a module's page is."""
    return f"/modules/{module.modid}/{module.cmdid}"


def known(modid: int, cmdid: int) -> ModuleId:
    """A module of a path; raises NotFound if there can be none of these numbers."""
    try:
        return module_id(modid, cmdid)
    except InvalidRoute as error:
        raise NotFound(str(error)) from None
