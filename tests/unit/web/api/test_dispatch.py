"""Calls of programs: who may make them, and what they are answered, in memory."""

import json
from dataclasses import dataclass, field
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from lars.db.accounts import Token
from lars.db.engine import DatabaseAway
from lars.db.modules import Module, ModuleFound
from lars.route import ModuleId
from lars.web.api.dispatch import Api
from lars.web.auth.access import Access
from lars.web.root import Root
from lars.web.settings import WebSettings
from lars.web.static_files import StaticFiles
from tests.unit.web.fleet import M, watched
from tests.unit.web.requests import NoUses
from tests.unit.web.responses import Response

VIEWER = b"Authorization: Bearer lars_viewer"


class FakeTokens:
    """A token of a viewer."""

    async def of(self, secret: str) -> Token | None:
        return Token(1, "dashboard", "lea", "viewer", 0) if secret == "lars_viewer" else None


class FakeModules:
    """One module, unless the database fails."""

    error: Exception | None = None

    async def module(self, _module: ModuleId) -> Module:
        return watched().module

    async def find(self, _search: object, _since: int) -> list[ModuleFound]:
        if self.error is not None:
            raise self.error
        return [ModuleFound(M, 3, "pay", "")]


@dataclass
class FakeStores:
    modules: FakeModules = field(default_factory=FakeModules)


@dataclass
class FakeConsole:
    """What the API uses of the console here."""

    stores: FakeStores = field(default_factory=FakeStores)
    tokens: FakeTokens = field(default_factory=FakeTokens)
    access: Access = field(
        default_factory=lambda: Access(cast(Any, None), WebSettings(), lambda: 0, cast(Any, NoUses()))
    )

    def wall_clock(self) -> float:
        return 0.0


class ApiTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.console = FakeConsole()
        api = Api(cast(Any, self.console))
        self.site = Site(Root(StaticFiles(), {"api": api.app}, api.app), reactor=Clock())

    def ask(self, path: str, *headers: bytes, method: str = "GET") -> Response:
        return Response(self.site, method, path, b"", *headers)

    def test_answer_is_json(self) -> None:
        answer = self.ask("/api/v1/modules", VIEWER)
        self.assertEqual(answer.status, 200)
        self.assertIn("Content-Type: application/json", answer.head)
        module = {"modid": 1, "cmdid": 2, "modid_name": "pay", "cmdid_name": "", "hosts": 3}
        self.assertEqual(json.loads(answer.text), {"modules": [module], "next": None})

    def test_known_etag_is_answered_without_a_body(self) -> None:
        etag = watched().module.etag
        self.assertIn(f'ETag: "{etag}"', self.ask("/api/v1/modules/1/2", VIEWER).head)
        answer = self.ask("/api/v1/modules/1/2", VIEWER, f'If-None-Match: "{etag}"'.encode())
        self.assertEqual((answer.status, answer.text), (304, ""))

    def test_token_is_needed_and_its_role_decides(self) -> None:
        for headers in ((), (b"Authorization: Bearer lars_other",), (b"Authorization: Basic lars_viewer",)):
            answer = self.ask("/api/v1/modules", *headers)
            self.assertEqual(answer.status, 401)
            self.assertIn("WWW-Authenticate: Bearer", answer.head)
        answer = self.ask("/api/v1/modules/1/2", VIEWER, method="DELETE")
        self.assertEqual((answer.status, json.loads(answer.text)["title"]), (403, "Forbidden"))

    def test_document_needs_no_token(self) -> None:
        self.assertEqual(json.loads(self.ask("/api/v1/openapi.json").text)["openapi"], "3.1.0")

    def test_refusals_are_problems(self) -> None:
        for path, status in (
            ("/api/v1/none", 404),
            ("/api/v1/modules?limit=x", 400),
            ("/api/v1/modules/1/2/hosts/x", 404),
        ):
            answer = self.ask(path, VIEWER)
            self.assertIn("Content-Type: application/problem+json", answer.head)
            self.assertEqual((answer.status, json.loads(answer.text)["status"]), (status, status))
        answer = self.ask("/api/v1/modules", VIEWER, method="PATCH")
        self.assertEqual(answer.status, 405)
        self.assertRegex(answer.head, r"Allow: .*GET")

    def test_lost_database_is_worth_another_try(self) -> None:
        self.console.stores.modules.error = DatabaseAway("no database")
        answer = self.ask("/api/v1/modules", VIEWER)
        self.assertEqual(answer.status, 503)
        self.assertIn("Retry-After: 2", answer.head)

    def test_bug_is_logged_and_not_shown(self) -> None:
        self.console.stores.modules.error = ValueError("inner details")
        answer = self.ask("/api/v1/modules", VIEWER)
        self.assertEqual(answer.status, 500)
        self.assertNotIn("inner details", answer.text)
        [_logged] = self.flushLoggedErrors(ValueError)
