"""Roles: a viewer reads, an editor edits routes, an admin also edits users."""

from enum import StrEnum


class Role(StrEnum):
    """A user's or a token's role; each may do what those before it may."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"

    def may_be(self, wanted: "Role") -> bool:
        """Whether this role may do what the wanted one may."""
        order = list(Role)
        return order.index(self) >= order.index(wanted)


def role_of(text: str) -> Role:
    """The role of a row of the database; an unknown one is a viewer's."""
    return Role(text) if text in set(Role) else Role.VIEWER
