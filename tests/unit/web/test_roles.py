"""Who may do what."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.roles import Role, role_of


class RoleTests(SynchronousTestCase):
    def test_each_may_do_what_those_before_it_may(self) -> None:
        self.assertTrue(Role.ADMIN.may_be(Role.EDITOR))
        self.assertTrue(Role.EDITOR.may_be(Role.EDITOR))
        self.assertFalse(Role.VIEWER.may_be(Role.EDITOR))

    def test_node_that_registers_does_nothing_else_and_a_viewer_registers_none(self) -> None:
        self.assertEqual([role for role in Role if Role.REGISTER.may_be(role)], [Role.REGISTER])
        self.assertEqual(
            [role for role in Role if role.may_be(Role.REGISTER)], [Role.REGISTER, Role.EDITOR, Role.ADMIN]
        )

    def test_unknown_role_is_a_viewers(self) -> None:
        self.assertIs(role_of("emperor"), Role.VIEWER)
        self.assertIs(role_of("admin"), Role.ADMIN)
