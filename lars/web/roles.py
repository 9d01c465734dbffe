"""Roles: a viewer reads, an editor edits routes, an admin also edits users; a node registers itself."""

from enum import StrEnum


class Role(StrEnum):
    """A user's or a token's role (docs/design/web.md, access). REGISTER is a role of tokens alone."""

    REGISTER = "register"
    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def may_be(self, wanted: "Role") -> bool:
        """Whether this role may do what the wanted one may."""
        return wanted in _MAY[self]


_MAY = {
    Role.REGISTER: {Role.REGISTER},
    Role.VIEWER: {Role.VIEWER},
    Role.EDITOR: {Role.REGISTER, Role.VIEWER, Role.EDITOR},
    Role.ADMIN: set(Role),
}


def role_of(text: str) -> Role:
    """The role of a row of the database; an unknown one is a viewer's."""
    return Role(text) if text in set(Role) else Role.VIEWER
