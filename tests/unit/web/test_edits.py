"""Every edit of pages and API is checked, and none goes past the checks."""

import ast
import re
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

import lars.web
from lars.db.leases import Registration
from lars.db.routes import RouteEdit
from lars.host_record import KEEP
from lars.module_ranges import module_ranges
from lars.route import HostAddress, ModuleId
from lars.web.edits import Edits
from lars.web.registry.registrar import Outcome, Removal
from lars.web.rights import Editor, NotPermitted
from lars.web.roles import Role

MINE, OTHER = ModuleId(1, 1), ModuleId(200, 1)
HOST = HostAddress(1, 80)
EDITING = {
    "edit",
    "edit_tagged",
    "edit_many",
    "edit_as_shown",
    "edit_machine",
    "rehearse",
    "rename",
    "dismiss",
    "put",
    "take",
}
"""The methods of stores and registrar that edit, or say what an edit would do."""


class Calls:
    """Stands for every store: notes the calls of its methods."""

    def __init__(self, result: object = None) -> None:
        self.made: list[tuple[Any, ...]] = []
        self._result = result

    def __getattr__(self, name: str) -> Any:
        async def called(*arguments: Any) -> object:
            self.made.append((name, *arguments))
            return self._result

        return called


class EditsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stores = Calls()
        self.registrar = Calls(Outcome(7, new=True))
        store = cast(Any, self.stores)
        self.edits = Edits(store, store, store, store, cast(Any, self.registrar))
        self.editor = Editor("web:lea", "lea", Role.EDITOR, (module_ranges("1-99"),))
        self.node = Editor("api:lea/node", "lea", Role.REGISTER, (module_ranges("1-99"),))

    def refused(self, edit: Any) -> None:
        self.failureResultOf(Deferred.fromCoroutine(edit), NotPermitted)

    def done(self, edit: Any) -> Any:
        return self.successResultOf(Deferred.fromCoroutine(edit))

    def test_edit_outside_the_ranges_is_refused_before_anything_is_done(self) -> None:
        edits, who, edit, both = self.edits, self.editor, RouteEdit(OTHER), [RouteEdit(MINE), RouteEdit(OTHER)]
        for refused in (
            edits.edit(who, 0, edit, None),
            edits.edit_tagged(who, 0, edit, None),
            edits.edit_many(who, 0, both),
            edits.rehearse(who, 0, both),
            edits.edit_as_shown(who, 0, both, lambda _done: True),
            edits.rename(who, 0, "modid", 200, "name", None),
            edits.rename(who, 0, "cmdid", 1, "name", None),
            edits.dismiss_agent(who, 1),
            edits.register(who, (OTHER, HOST), 15),
            edits.withdraw(who, (OTHER, HOST)),
        ):
            self.refused(refused)
        self.assertEqual((self.stores.made, self.registrar.made), ([], []))

    def test_edit_within_the_ranges_is_made_by_its_actor(self) -> None:
        self.done(self.edits.edit(self.editor, 5, RouteEdit(MINE), "seen"))
        self.done(self.edits.rename(self.editor, 5, "modid", 1, "name", None))
        self.assertEqual(
            self.stores.made,
            [("edit", "web:lea", 5, RouteEdit(MINE), "seen"), ("rename", "web:lea", 5, "modid", 1, "name", None)],
        )

    def test_machine_is_edited_only_within_the_ranges(self) -> None:
        self.done(self.edits.edit_machine(self.editor, 0, 1, KEEP))
        self.done(self.edits.edit_seen_machine(self.editor, 0, 1, KEEP, "seen"))
        for call in self.stores.made:
            self.assertEqual([call[-1](module) for module in (MINE, OTHER)], [True, False])

    def test_node_registers_with_a_ttl_and_touches_only_what_its_users_tokens_registered(self) -> None:
        self.refused(self.edits.register(self.node, (MINE, HOST), 0))
        self.done(self.edits.register(self.node, (MINE, HOST), 15))
        self.done(self.edits.withdraw(self.node, (MINE, HOST)))
        self.done(self.edits.register(self.editor, (MINE, HOST), 0))
        self.assertEqual(
            self.registrar.made,
            [
                ("put", (MINE, HOST), Registration(15, "api:lea/node", "lea")),
                ("take", (MINE, HOST), Removal("api:lea/node", "lea")),
                ("put", (MINE, HOST), Registration(0, "web:lea")),
            ],
        )

    def test_host_of_another_user_is_refused(self) -> None:
        self.edits.registrar._result = Outcome(7, foreign=True)  # type: ignore[attr-defined]  # Calls stands for it
        self.refused(self.edits.register(self.node, (MINE, HOST), 15))
        self.refused(self.edits.withdraw(self.node, (MINE, HOST)))

    def test_no_page_and_no_endpoint_edits_past_the_checks(self) -> None:
        folder = Path(lars.web.__path__[0])
        calls = []
        for file in [*(folder / "pages").glob("*.py"), *(folder / "api").glob("*.py")]:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in EDITING:
                    calls.append(f"{file.name}: {ast.unparse(node)}")
        checked = re.compile(r"\b(edits|guarded|row)\.\w+$|self\.put$")
        unchecked = [call for call in calls if not checked.search(call)]
        self.assertEqual(unchecked, [])
        self.assertGreater(len(calls), 8)
