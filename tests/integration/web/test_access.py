"""Who may what: every page and endpoint is asked as everybody and compared with the table in docs/security.md."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from urllib.parse import urlencode

import pytest
from klein import Klein
from twisted.internet.threads import deferToThread

import lars.web.pages
from lars.accounts import hash_password
from lars.db.accounts import AccountStore, NewToken, Session
from lars.db.database import Database, engine_for
from lars.db.routes import RouteEdit, RouteStore
from lars.db.url import parse_url
from lars.host_record import KEEP
from lars.module_ranges import module_ranges
from lars.route import ModuleId, parse_host
from lars.web.api.dispatch import RESOURCES
from lars.web.api.endpoint import endpoints
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, form_key, new_secret
from lars.web.pages.page_set import PageSet
from lars.web.pages.transfer_pages import packed
from tests.integration.web.conftest import PASSWORD, Site

DOCUMENT = Path(__file__).parents[3] / "docs" / "security.md"

RANGES = "1-99"
INSIDE, OUTSIDE = ModuleId(1, 1), ModuleId(200, 1)
HOST = parse_host("10.0.0.200:80")
NEW = parse_host("10.0.0.201:80")
NODE = parse_host("10.0.0.202:80")
"""A host that nobody adds but by registering it."""

MACHINE = "10.0.0.7"

LAST = "/account/sessions/end"
"""What is asked last and once: it ends all sessions of a user."""

NOBODY, REGISTER = "nobody", "register"
SESSIONS = {
    "viewer": ("viewer", ""),
    "editor": ("editor", ""),
    f"editor of {RANGES}": ("editor", RANGES),
    "admin": ("admin", ""),
}
"""Columns of the table: the role of a user, and their ranges."""

PLACES = {
    "<int:token>": "TOKEN",
    "<int:modid>": "M",
    "<int:cmdid>": "C",
    "<int:number>": "N",
    "<int:version>": "VERSION",
    "<host>": "IP:PORT",
    "<ip>": "IP",
    "<name>": "NAME",
    "<secret>": "SECRET",
    "<digest>": "SESSION",
}


@dataclass(frozen=True)
class Row:
    """A row of the table: a request, and by column yes, no or RANGES."""

    method: str
    path: str
    cells: Mapping[str, str]


def written() -> list[Row]:
    """The table of the document."""
    text = DOCUMENT.read_text(encoding="utf-8").partition("## Who may what in the console")[2].partition("\n## ")[0]
    head, _line, *lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    rows = []
    for request, *cells in lines:
        method, path = request.strip("`").split(" ")
        rows.append(Row(method, path, dict(zip(head[1:], cells, strict=True))))
    return rows


def routed() -> Iterator[tuple[str, str]]:
    """The method and path of everything that lars-web answers."""
    for module in iter_modules(lars.web.pages.__path__):
        import_module(f"lars.web.pages.{module.name}")
    for pages in PageSet.__subclasses__():
        app: Klein = pages.app
        for rule in app.url_map.iter_rules():
            for method in (rule.methods or {"GET"}) - {"HEAD", "OPTIONS"}:
                yield method, _shown(rule.rule)
    for resource in RESOURCES:
        for endpoint, _method in endpoints(resource):
            yield endpoint.method, _shown(endpoint.rule)
    yield "GET", "/api/v1/openapi.json"


def _shown(rule: str) -> str:
    for place, name in PLACES.items():
        rule = rule.replace(place, name)
    return rule.replace("<address>", "IP:PORT" if rule.startswith("/hosts/") else "IP")


def test_table_has_every_page_and_every_endpoint() -> None:
    table = [(row.method, row.path) for row in written()]
    assert sorted(table) == sorted(routed())
    for row in written():
        assert set(row.cells) == {NOBODY, REGISTER, *SESSIONS}
        assert set(row.cells.values()) <= {"yes", "no", RANGES}, row


def form_of(path: str, module: ModuleId) -> dict[str, str]:
    """A form that is right, as far as it decides who may send it."""
    ends = {
        "/sign-in": {"name": "viewer", "password": PASSWORD},
        "/modules/new": {"modid": str(module.modid), "cmdid": str(module.cmdid), "hosts": str(NEW)},
        "/add": {"hosts": str(NEW)},
        "/remove": {"host": str(NEW)},
        "/replace": {"hosts": str(HOST)},
        "/names": {"what": "modid", "name": "shop"},
        "/edit": {"weight": "100"},
        "/preview": {"text": f"modid,cmdid,ip,port\n{module.modid},{module.cmdid},10.0.0.201,80\n"},
        "/import": {"routes": packed({module: {NEW: KEEP}})},
    }
    return next((form for end, form in ends.items() if path.endswith(end)), {})


def body_of(method: str, path: str, module: ModuleId) -> object:
    """A body that is right for an endpoint."""
    if path.endswith("/routes"):
        return [{**module._asdict(), "ip": "10.0.0.201", "port": 80}]
    if path.endswith("/name"):
        return {"name": "shop"}
    if path.endswith("/hosts"):
        return {"hosts": [str(HOST)]} if method == "PUT" else {"add": [str(HOST)]}
    if method == "PATCH":
        return {"weight": 100}
    if path.endswith("/drain"):
        return {"seconds": 60}
    return {} if path.endswith("/settings") else None


def address(row: Row, module: ModuleId) -> str:
    """The address of a row for a module."""
    values = {
        "IP:PORT": str(HOST),
        "TOKEN": "0",
        "SESSION": "0" * 64,
        "SECRET": "wrong",
        "NAME": "somebody-else",
        "IP": MACHINE,
        "M": str(module.modid),
        "C": str(module.cmdid),
        "N": str(module.modid),
        "VERSION": "1",
    }
    registers = row.path == "/api/v1/modules/M/C/hosts/IP:PORT" and row.method in ("PUT", "DELETE")
    if registers:
        values["IP:PORT"] = str(NODE)
    pattern = "|".join(f"(?<=/){name}(?=/|$)" for name in values)
    path = re.sub(pattern, lambda match: values[match[0]], row.path)
    return f"{path}?ttl=15" if registers else path


class Asker:
    """Sends requests as everybody; each page is asked in a session of its own, since some end it."""

    def __init__(self, site: Site, accounts: AccountStore) -> None:
        self._place = site.base.removeprefix("http://")
        self._accounts = accounts
        self._sessions: dict[str, list[str]] = {}
        self._tokens: dict[str, str] = {}

    async def prepare(self, sessions: int) -> None:
        """Adds users with so many sessions each, and their tokens."""
        password = hash_password(PASSWORD)
        for column, (role, ranges) in SESSIONS.items():
            name = column.replace(" ", "-")
            await self._accounts.add("test", name, password, role, 0, module_ranges(ranges))
            self._tokens[column] = await self._token(name, role, ranges="")
            self._sessions[column] = [new_secret() for _ in range(sessions)]
            for secret in self._sessions[column]:
                await self._accounts.begin_session(Session(digest_of(secret), name, 0, 2**31), 0)
        self._tokens[REGISTER] = await self._token("editor", "register", RANGES)

    async def _token(self, user: str, role: str, ranges: str) -> str:
        secret = TOKEN_PREFIX + new_secret()
        token = NewToken(digest_of(secret), "test", user, role, module_ranges(ranges))
        await self._accounts.add_token("test", token, 0)
        return secret

    def gets(self, row: Row, column: str, module: ModuleId) -> bool:
        """Whether the request of a row is answered with more than a refusal."""
        path = address(row, module)
        headers, body = (
            self._of_api(row, column, module) if path.startswith("/api/") else self._of_page(row, column, module)
        )
        with closing(HTTPConnection(self._place, timeout=60)) as connection:
            connection.request(row.method, path, body, headers)
            answer = connection.getresponse()
            place = answer.getheader("Location", "")
            assert answer.status < 500, (row, column, answer.read())
            return answer.status not in (401, 403) and (
                not place.startswith("/sign-in") or place.endswith("?notice=out")
            )

    def _of_api(self, row: Row, column: str, module: ModuleId) -> tuple[dict[str, str], bytes | None]:
        headers = {"Authorization": f"Bearer {self._tokens[column]}"} if column in self._tokens else {}
        body = body_of(row.method, row.path, module) if row.method != "GET" else None
        if body is None:
            return headers, None
        return {**headers, "Content-Type": "application/json"}, json.dumps(body).encode()

    def _of_page(self, row: Row, column: str, module: ModuleId) -> tuple[dict[str, str], bytes | None]:
        secret = self._sessions[column].pop() if column in self._sessions else new_secret()
        headers = {"Cookie": f"lars_session={secret}"}
        if column == REGISTER:
            headers["Authorization"] = f"Bearer {self._tokens[REGISTER]}"
        if row.method == "GET":
            return headers, None
        form = {"form_key": form_key(secret), **form_of(row.path, module)}
        return {**headers, "Content-Type": "application/x-www-form-urlencoded"}, urlencode(form).encode()


@pytest.fixture
def database(site: Site) -> Iterator[Database]:
    database = Database(engine_for(parse_url(site.commands.database_url)), site.reactor)
    yield database
    database.close()


async def test_everybody_gets_what_the_table_says_and_nothing_else(site: Site, database: Database) -> None:
    await site.up()
    rows = sorted(written(), key=lambda row: row.path == LAST)
    asker = Asker(site, AccountStore(database))
    await asker.prepare(len(rows) * 2)
    hosts = frozenset({HOST, parse_host(f"{MACHINE}:80")})
    await RouteStore(database).edit("test", 0, [RouteEdit(module, add=hosts) for module in (INSIDE, OUTSIDE)])

    def compare() -> list[str]:
        wrong = []
        for row in rows:
            for column, cell in row.cells.items():
                for module, wanted in ((OUTSIDE, cell == "yes"), (INSIDE, cell != "no")):
                    if row.path == LAST and module is INSIDE:
                        continue
                    if asker.gets(row, column, module) is not wanted:
                        wrong.append(f"{row.method} {row.path} as {column}, module {module}: not {wanted}")
        return wrong

    assert await deferToThread(compare) == []
