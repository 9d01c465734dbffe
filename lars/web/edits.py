"""Every edit of modules that pages and API make, each checked against the ranges of who makes it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lars.db.agents import AgentStore
from lars.db.leases import Place, Registration
from lars.db.machines import MachineStore
from lars.db.modules import ModuleStore
from lars.db.routes import EditDone, RouteEdit, RouteStore
from lars.host_record import HostChange
from lars.web.registry.registrar import Outcome, Registrar, Removal
from lars.web.rights import Editor, NotPermitted
from lars.web.roles import Role


@dataclass(frozen=True, slots=True)
class Edits:
    """The edits of one lars-web (docs/design/web.md, ranges).

    No page and no endpoint calls the edits of a store, so that none can forget the check. All raise NotPermitted;
    `now` is in Unix seconds.
    """

    modules: ModuleStore
    routes: RouteStore
    machines: MachineStore
    agents: AgentStore
    registrar: Registrar

    async def edit(self, editor: Editor, now: float, edit: RouteEdit, seen: str | None) -> EditDone:
        """See ModuleStore.edit."""
        editor.check([edit.module])
        return await self.modules.edit(editor.actor, now, edit, seen)

    async def edit_tagged(
        self, editor: Editor, now: float, edit: RouteEdit, etags: Collection[str] | None
    ) -> tuple[EditDone, str]:
        """See ModuleStore.edit_tagged."""
        editor.check([edit.module])
        return await self.modules.edit_tagged(editor.actor, now, edit, etags)

    async def edit_many(self, editor: Editor, now: float, edits: Sequence[RouteEdit]) -> EditDone:
        """See RouteStore.edit."""
        editor.check(edit.module for edit in edits)
        return await self.routes.edit(editor.actor, now, edits)

    async def rehearse(self, editor: Editor, now: float, edits: Sequence[RouteEdit]) -> EditDone:
        """See RouteStore.rehearse."""
        editor.check(edit.module for edit in edits)
        return await self.routes.rehearse(editor.actor, now, edits)

    async def edit_as_shown(
        self, editor: Editor, now: float, edits: Sequence[RouteEdit], is_as_shown: Callable[[EditDone], bool]
    ) -> EditDone | None:
        """See RouteStore.edit_as_shown."""
        editor.check(edit.module for edit in edits)
        return await self.routes.edit_as_shown(editor.actor, now, edits, is_as_shown)

    async def edit_machine(self, editor: Editor, now: float, ip: int, change: HostChange) -> EditDone:
        """See RouteStore.edit_machine; hosts of modules out of range stay as they are."""
        return await self.routes.edit_machine(editor.actor, now, ip, change, editor.may_edit)

    async def edit_seen_machine(self, editor: Editor, now: float, ip: int, change: HostChange, seen: str) -> EditDone:
        """See MachineStore.edit; hosts of modules out of range stay as they are."""
        return await self.machines.edit(editor.actor, now, ip, change, seen, editor.may_edit)

    async def rename(self, editor: Editor, now: float, what: str, number: int, name: str, seen: str | None) -> bool:
        """See ModuleStore.rename. The name of a cmdid is that of all modids, so a limited editor names none."""
        if what == "modid":
            editor.check_modid(number)
        else:
            editor.check_everything("the name of a cmdid")
        return await self.modules.rename(editor.actor, now, what, number, name, seen)

    async def dismiss_agent(self, editor: Editor, ip: int) -> None:
        """See AgentStore.dismiss. An agent belongs to no module, so a limited editor dismisses none."""
        editor.check_everything("an agent")
        await self.agents.dismiss(editor.actor, ip)

    async def register(self, editor: Editor, place: Place, ttl: int) -> Outcome:
        """See Registrar.put. With the role REGISTER: only with a ttl, and only a host that is new or its user's."""
        editor.check([place[0]])
        if editor.role is Role.REGISTER and not ttl:
            raise NotPermitted("a token with the role register may add a host only with a ttl: add ?ttl=15")
        outcome = await self.registrar.put(place, Registration(ttl, editor.actor, _only_of(editor)))
        return _permitted(outcome, place)

    async def withdraw(self, editor: Editor, place: Place) -> Outcome:
        """See Registrar.take. With the role REGISTER: only a host that a token of the same user has registered."""
        editor.check([place[0]])
        return _permitted(await self.registrar.take(place, Removal(editor.actor, _only_of(editor))), place)


def _only_of(editor: Editor) -> str:
    return editor.user if editor.role is Role.REGISTER else ""


def _permitted(outcome: Outcome, place: Place) -> Outcome:
    if outcome.foreign:
        module, host = place
        raise NotPermitted(
            f"{host} of module {module} was not registered by a token of your user: an editor can remove it"
        )
    return outcome
