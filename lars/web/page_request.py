"""One request of a browser as pages see it, and the answers they give: values without HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from lars.db.accounts import User
from lars.module_ranges import NOTHING
from lars.route import ModuleId
from lars.web.language import Translatable
from lars.web.rights import Editor
from lars.web.roles import Role, role_of


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Who asks for what.

    `now` is in Unix seconds; `secret` is that of the cookie, of a session if `user` is set; `fields` are those of the
    query and of the form, the last of equal ones.
    """

    path: str
    fields: Mapping[str, str]
    now: float
    user: User | None
    secret: str
    form_key: str
    language: str
    zone: tzinfo
    secure: bool
    address: str
    """The client's IP address."""
    prefix: str = ""
    """The path at which browsers find the console, such as "/lars"; empty if it is "/"."""
    browser: str = ""
    """What the browser calls itself (User-Agent)."""
    named: str = ""
    """The user whom a trusted proxy has signed in; empty if it names none."""

    @property
    def role(self) -> Role | None:
        """The user's role; None if nobody is signed in."""
        return role_of(self.user.role) if self.user else None

    @property
    def actor(self) -> str:
        """Who edits, for the audit."""
        return f"web:{self.user.name}" if self.user else "web"

    @property
    def editor(self) -> Editor:
        """Who edits, and the modules to which they are limited. Nobody is a viewer who may edit none."""
        if self.user is None:
            return Editor(self.actor, "", Role.VIEWER, (NOTHING,))
        return Editor(self.actor, self.user.name, role_of(self.user.role), (self.user.ranges,))

    def may_edit(self, module: ModuleId) -> bool:
        """Whether the user may edit a module."""
        return self.may("editor") and self.editor.may_edit(module)

    def may(self, role: str) -> bool:
        """Whether the user may do what a role may."""
        return self.role is not None and self.role.may_be(Role(role))

    def field(self, name: str) -> str:
        """What was given for a field; empty if nothing was."""
        return self.fields.get(name, "")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A number of the query, brought into its range; anything else is the default."""
        text = self.field(name)
        return min(high, max(low, int(text))) if text.isascii() and text.isdigit() and len(text) < 20 else default


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie to set; `max_age` is in seconds, 0 removes it."""

    name: str
    value: str
    max_age: int


@dataclass(frozen=True, slots=True)
class Page:
    """A template with its values."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)
    status: int = 200
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends the browser to another page: after a form is done, or to sign in."""

    path: str
    cookies: tuple[Cookie, ...] = ()


@dataclass(frozen=True, slots=True)
class Download:
    """A file for the browser to save."""

    name: str
    content_type: str
    body: bytes


Answer = Page | Redirect | Download


def trouble(status: int, text: Translatable) -> Page:
    """A page that says why the one asked for is not shown; `status` is HTTP's."""
    return Page("trouble.html", {"text": text, "status": status}, status)
