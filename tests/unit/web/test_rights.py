"""What an editor may edit: what is within each of their ranges."""

from twisted.trial.unittest import SynchronousTestCase

from lars.module_ranges import EVERYTHING, module_ranges
from lars.route import ModuleId
from lars.web.rights import Editor, NotPermitted
from lars.web.roles import Role


def editor(*ranges: str) -> Editor:
    return Editor("api:lea/x", "lea", Role.EDITOR, tuple(map(module_ranges, ranges)))


class EditorTests(SynchronousTestCase):
    def test_module_must_be_within_each_of_the_ranges(self) -> None:
        limited = editor("1-99", "5.1, 200")
        self.assertEqual([limited.may_edit(ModuleId(*m)) for m in ((5, 1), (5, 2), (200, 1))], [True, False, False])
        limited.check([ModuleId(5, 1)])
        error = self.assertRaises(NotPermitted, limited.check, [ModuleId(5, 1), ModuleId(200, 1)])
        self.assertEqual(str(error), "module (200, 1) is not within modules 1-99 within 5.1, 200: ask an admin")

    def test_name_of_a_modid_needs_all_of_its_modules(self) -> None:
        editor("1-99").check_modid(99)
        for limited, modid in ((editor("1-99"), 100), (editor("5.1"), 5)):
            self.assertRaises(NotPermitted, limited.check_modid, modid)

    def test_what_concerns_all_modules_needs_all_of_them(self) -> None:
        for free in (editor(), editor("", "")):
            self.assertFalse(free.is_limited)
            free.check_everything("an agent")
            free.check([ModuleId(7, 7)])
        self.assertRaises(NotPermitted, editor("", "1").check_everything, "an agent")
        self.assertTrue(EVERYTHING.is_everything)
