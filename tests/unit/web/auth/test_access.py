"""Whom a request comes from, and what they may see."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request
from twisted.web.test.requesthelper import DummyChannel

from lars.db.accounts import Session, User
from lars.web.auth.access import COOKIE, Access, local_path
from lars.web.auth.last_uses import LastUses
from lars.web.auth.secrets import digest_of, form_key
from lars.web.page_request import Page, PageRequest, Redirect
from lars.web.roles import Role
from lars.web.settings import WebSettings, networks

NOW = 1_700_000_000.0
LEA = User("lea", "no hash", "editor", 0)


class FakeAccounts:
    """Users and sessions in memory."""

    def __init__(self) -> None:
        self.sessions = {digest_of("hers"): LEA}
        self.users = 1
        self.begun: list[Session] = []

    async def any_user(self) -> bool:
        return self.users > 0

    async def session(self, digest: str, _now: float) -> User | None:
        return self.sessions.get(digest)

    async def begin_session(self, session: Session, _now: float) -> None:
        self.begun.append(session)

    async def end_session(self, digest: str) -> None:
        self.sessions.pop(digest, None)


class AccessTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.accounts = FakeAccounts()
        self.last_uses = LastUses(cast(Any, self.accounts), Clock(), lambda: NOW)
        self.access = Access(cast(Any, self.accounts), WebSettings(session_time=60), lambda: NOW, self.last_uses)

    def http_request(self, method: bytes = b"GET", uri: bytes = b"/modules?q=1", **cookies: str) -> Request:
        channel = DummyChannel()
        request = Request(channel, False)
        request.client = IPv4Address("TCP", "10.0.0.9", 4000)
        request.method, request.uri, request.path, request.args = method, uri, uri.partition(b"?")[0], {}
        request.received_cookies = {name.encode(): value.encode() for name, value in cookies.items()}
        return request

    def identify(self, request: Request) -> PageRequest:
        return self.successResultOf(Deferred.fromCoroutine(self.access.identify(request)))

    def refusal(self, http_request: Request, role: Role | None) -> object:
        request = self.identify(http_request)
        return self.successResultOf(Deferred.fromCoroutine(self.access.refusal(http_request, request, role)))

    def test_cookie_of_a_session_names_its_user(self) -> None:
        request = self.identify(self.http_request(lars_session="hers"))
        self.assertEqual((request.user, request.form_key), (LEA, form_key("hers")))

    def test_other_cookies_and_none_name_nobody(self) -> None:
        forged = self.identify(self.http_request(lars_session="forged"))
        self.assertEqual((forged.user, forged.secret), (None, "forged"))
        self.assertIsNone(self.identify(self.http_request()).user)

    def test_language_zone_and_fields_come_from_the_browser(self) -> None:
        west = self.access.anonymous(self.http_request(lars_zone="Etc%2FGMT%2B5")).zone
        self.assertEqual(west.utcoffset(datetime(2026, 1, 1)), timedelta(hours=-5))
        http_request = self.http_request(lars_zone="Asia%2FShanghai")
        http_request.requestHeaders.addRawHeader(b"Accept-Language", b"zh-CN")
        http_request.args = {b"hosts": [b"first", b"a\r\nb\xff"]}
        request = self.identify(http_request)
        self.assertEqual((request.language, str(request.zone)), ("zh", "Asia/Shanghai"))
        self.assertEqual(request.fields, {"hosts": "a\nb\ufffd"})

    def test_cookies_are_secure_behind_https(self) -> None:
        request = self.access.anonymous(self.http_request())
        self.assertEqual((request.secure, request.address), (False, "10.0.0.9"))
        behind = Access(cast(Any, self.accounts), WebSettings(url="https://lars.example"), lambda: NOW, self.last_uses)
        self.assertTrue(behind.anonymous(self.http_request()).secure)

    def test_session_of_another_user_than_the_proxy_names_is_none(self) -> None:
        settings = WebSettings(trust_proxy=networks("10.0.0.9"), trust_user_header="Remote-User")
        access = Access(cast(Any, self.accounts), settings, lambda: NOW, self.last_uses)
        for named, user in ((b"Lea", LEA), (b"eve", None)):
            request = self.http_request(lars_session="hers")
            request.requestHeaders.setRawHeaders(b"Remote-User", [named])
            found = self.successResultOf(Deferred.fromCoroutine(access.identify(request)))
            self.assertEqual((found.user, found.named), (user, named.decode()))

    def test_reader_who_is_not_signed_in_is_sent_there_and_back(self) -> None:
        refused = self.refusal(self.http_request(), Role.VIEWER)
        self.assertEqual(refused, Redirect("/sign-in?next=%2Fmodules%3Fq%3D1"))
        self.assertEqual(self.refusal(self.http_request(uri=b"/"), Role.VIEWER), Redirect("/sign-in"))

    def test_form_of_an_ended_session_is_refused(self) -> None:
        refused = self.refusal(self.http_request(b"POST"), Role.VIEWER)
        self.assertIsInstance(refused, Page)
        self.assertEqual(cast(Page, refused).status, 403)

    def test_role_decides(self) -> None:
        self.assertIsNone(self.refusal(self.http_request(lars_session="hers"), Role.EDITOR))
        refused = self.refusal(self.http_request(lars_session="hers"), Role.ADMIN)
        self.assertEqual(cast(Page, refused).status, 403)

    def test_form_needs_the_key_of_its_cookie(self) -> None:
        request = self.identify(self.http_request(b"POST", lars_session="hers"))
        for given, status in ((form_key("hers"), None), ("", 403), (form_key("other"), 403)):
            refused = self.access.form_refusal(replace(request, fields={"form_key": given}))
            self.assertEqual(cast(Any, refused).status if refused else None, status)

    def test_before_the_first_admin_pages_are_not_set_up(self) -> None:
        self.accounts.users = 0
        self.assertEqual(self.refusal(self.http_request(), Role.VIEWER), Page("not_set_up.html", status=403))
        self.accounts.users = 1
        self.assertIsInstance(self.refusal(self.http_request(), Role.VIEWER), Redirect)

    def test_sessions_begin_and_end(self) -> None:
        request = self.identify(self.http_request())
        cookie = self.successResultOf(Deferred.fromCoroutine(self.access.begin_session("lea", request)))
        self.assertEqual((cookie.name, cookie.max_age), (COOKIE, 60))
        self.assertEqual(
            self.accounts.begun,
            [Session(digest_of(cookie.value), "lea", int(NOW), int(NOW) + 60, int(NOW), "10.0.0.9", "")],
        )
        request = self.identify(self.http_request(lars_session="hers"))
        gone = self.successResultOf(Deferred.fromCoroutine(self.access.end_session(request)))
        self.assertEqual((gone.value, gone.max_age, self.accounts.sessions), ("", 0, {}))


class LocalPathTests(SynchronousTestCase):
    def test_only_paths_of_this_site_are_gone_on_to(self) -> None:
        for good in ("/", "/modules/1/1?span=6h", "/audit?modid=1&cmdid=2"):
            self.assertEqual(local_path(good), good)
        for evil in ("//evil.example", "/\\evil.example", "https://evil.example", "", "modules", "/a\r\nSet-Cookie: x"):
            self.assertEqual(local_path(evil), "/")
