"""Endpoints of the API: what a program asks, what it is answered, and which method answers."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lars.db.accounts import Token
from lars.web.api.input import MAX_LIMIT, MAX_ROW, number
from lars.web.console import Console
from lars.web.rights import Editor
from lars.web.roles import Role, role_of

JSON = "application/json"
MODULE = "/api/v1/modules/<int:modid>/<int:cmdid>"


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a program.

    `now` is in Unix seconds, `query` has the last of equal parameters, `headers` one text by lower-case name.
    """

    token: Token
    now: float
    query: Mapping[str, str]
    headers: Callable[[str], str]
    body: bytes

    @property
    def actor(self) -> str:
        """Who edits, for the audit."""
        return f"api:{self.token.user}/{self.token.name}"

    @property
    def editor(self) -> Editor:
        """Who edits, and the modules to which the token and its user are limited."""
        ranges = self.token.ranges, self.token.user_ranges
        return Editor(self.actor, self.token.user, role_of(self.token.role), ranges)

    @property
    def limit(self) -> int:
        """How many rows are asked for; raises Problem 400."""
        return number(self.query, "limit", 100, 1, MAX_LIMIT)

    @property
    def before(self) -> int:
        """The id before which the rows are asked for; raises Problem 400."""
        return number(self.query, "before", MAX_ROW, 1, MAX_ROW)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a body that becomes JSON, or bytes of another type."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a method of a Resource answers (`rule` is werkzeug's), and the role that its caller needs."""

    method: str
    rule: str
    role: Role


class Resource:
    """Endpoints about one thing."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.stores = console.stores


Method = TypeVar("Method", bound=Callable[..., Awaitable[Reply]])


def endpoint(method: str, rule: str, role: Role = Role.VIEWER) -> Callable[[Method], Method]:
    """Makes a method of a Resource an endpoint; it is called with a Call and the rule's values."""

    def mark(function: Method) -> Method:
        function.endpoint = Endpoint(method, rule, role)  # type: ignore[attr-defined]
        return function

    return mark


def endpoints(resource: Resource | type[Resource]) -> Iterator[tuple[Endpoint, Callable[..., Awaitable[Reply]]]]:
    """The endpoints of a resource, and the methods that answer them."""
    for name in vars(resource if isinstance(resource, type) else type(resource)):
        method: Any = getattr(resource, name)
        if isinstance(found := getattr(method, "endpoint", None), Endpoint):
            yield found, method
