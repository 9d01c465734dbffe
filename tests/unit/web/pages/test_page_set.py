"""Requests are routed to pages, refused, and answered as HTTP, in memory."""

from dataclasses import dataclass
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from lars.db.accounts import User
from lars.db.engine import DatabaseAway
from lars.errors import BadInput
from lars.web.auth.access import Access
from lars.web.auth.secrets import digest_of, form_key
from lars.web.language import Translatable
from lars.web.page_request import Answer, Download, Page, PageRequest, Redirect
from lars.web.pages.page_set import NotFound, PageSet, new_app, page
from lars.web.roles import Role
from lars.web.root import Root
from lars.web.settings import WebSettings
from lars.web.static_files import StaticFiles
from lars.web.views import Views
from tests.unit.web.requests import NoUses
from tests.unit.web.responses import Response

COOKIE = b"Cookie: lars_session=hers"


class FakeAccounts:
    """One editor with a session."""

    away = False

    async def any_user(self) -> bool:
        return True

    async def session(self, digest: str, _now: float) -> User | None:
        if self.away:
            raise DatabaseAway("no database")
        return User("lea", "", "editor", 0) if digest == digest_of("hers") else None


@dataclass
class FakeConsole:
    """What a set of pages uses of the console."""

    access: Access
    views: Views
    reactor: Clock


class SamplePages(PageSet):
    app = new_app()

    @page(app, "/sample/form", role=Role.EDITOR, form=True)
    async def form(self, request: PageRequest) -> Answer:
        return Redirect(f"/sample/{request.field('text')}")

    @page(app, "/sample/file")
    async def file(self, _request: PageRequest) -> Answer:
        return Download("routes.csv", "text/csv", b"a,b\n")

    @page(app, "/sample/open", role=None)
    async def open(self, _request: PageRequest) -> Answer:
        return Page("trouble.html", {"text": Translatable("You are signed out."), "status": 200})

    @page(app, "/sample/sign-in", role=None)
    async def sign_in(self, _request: PageRequest) -> Answer:
        return Page("sign_in.html", {"errors": {}, "name": "", "next": "/"})

    @page(app, "/sample/admin", role=Role.ADMIN)
    async def admin(self, _request: PageRequest) -> Answer:
        raise AssertionError("not reached")

    @page(app, "/sample/raise/<what>")
    async def fail(self, _request: PageRequest, what: str) -> Answer:
        errors = {"missing": NotFound("no such thing"), "bad": BadInput("bad"), "away": DatabaseAway("gone")}
        raise errors.get(what, ValueError("a bug"))


class PageSetTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.accounts = FakeAccounts()
        files = StaticFiles()
        access = Access(cast(Any, self.accounts), WebSettings(), lambda: 0, cast(Any, NoUses()))
        pages = SamplePages(cast(Any, FakeConsole(access, Views(files.address), Clock())))
        self.site = Site(Root(files, {"sample": pages.app}, pages.app), reactor=Clock())

    def ask(self, path: str, *headers: bytes, method: str = "GET", body: bytes = b"") -> Response:
        return Response(self.site, method, path, body, *headers)

    def test_form_with_its_key_is_done_and_redirects(self) -> None:
        body = f"form_key={form_key('hers')}&text=done".encode()
        answer = self.ask("/sample/form", COOKIE, method="POST", body=body)
        self.assertEqual(answer.status, 303)
        self.assertIn("Location: /sample/done", answer.head)
        self.assertEqual(self.ask("/sample/form", COOKIE, method="POST", body=b"text=done").status, 403)

    def test_file_is_saved_under_its_name(self) -> None:
        answer = self.ask("/sample/file", COOKIE)
        self.assertEqual((answer.status, answer.text), (200, "a,b\n"))
        self.assertIn('filename="routes.csv"', answer.head)

    def test_form_for_everybody_comes_with_a_cookie_and_other_pages_with_none(self) -> None:
        cookie = r"Set-Cookie: lars_session=[\w-]{43}; Path=/; Max-Age=3600; HttpOnly; SameSite=lax"
        self.assertRegex(self.ask("/sample/sign-in").head, cookie)
        self.assertNotIn("Set-Cookie", self.ask("/sample/sign-in", COOKIE).head)
        for path in ("/sample/open", "/sample/file", "/nowhere"):
            self.assertNotIn("Set-Cookie", self.ask(path).head)

    def test_page_is_in_the_language_of_the_browser(self) -> None:
        answer = self.ask("/sample/open", b"Accept-Language: zh")
        self.assertIn("Content-Language: zh", answer.head)
        self.assertIn("您已退出登录。", answer.text)

    def test_others_are_sent_to_sign_in_or_refused(self) -> None:
        answer = self.ask("/sample/file?x=1")
        self.assertEqual(answer.status, 303)
        self.assertIn("Location: /sign-in?next=%2Fsample%2Ffile%3Fx%3D1", answer.head)
        self.assertEqual(self.ask("/sample/admin", COOKIE).status, 403)

    def test_errors_have_their_status(self) -> None:
        statuses = {what: self.ask(f"/sample/raise/{what}", COOKIE).status for what in ("missing", "bad", "away")}
        self.assertEqual(statuses, {"missing": 404, "bad": 400, "away": 503})
        self.accounts.away = True
        self.assertEqual(self.ask("/sample/file", COOKIE).status, 503)

    def test_bug_is_logged_and_not_shown(self) -> None:
        answer = self.ask("/sample/raise/bug", COOKIE)
        self.assertEqual(answer.status, 500)
        self.assertNotIn("a bug\n", answer.text)
        [_logged] = self.flushLoggedErrors(ValueError)

    def test_address_without_a_page_and_wrong_method_are_pages_too(self) -> None:
        answer = self.ask("/nowhere", COOKIE)
        self.assertEqual(answer.status, 404)
        self.assertIn("There is no page at this address.", answer.text)
        self.assertIn("Location: /sample/file\r\n", self.ask("/sample//file", COOKIE).head + "\r\n")
        answer = self.ask("/sample/form", COOKIE)
        self.assertEqual(answer.status, 405)
        self.assertIn("Allow: POST", answer.head)
