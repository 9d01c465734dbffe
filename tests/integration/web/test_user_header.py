"""Users whom a trusted proxy has signed in, and those who only say that it has."""

import re
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from twisted.internet.threads import deferToThread

from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import ReservedPort, TwistdService

HEADER = "X-Forwarded-User"


class Web:
    """A lars-web that trusts the proxies of some network with the header."""

    def __init__(self, start_service: StartService, url: str, folder: Path, proxies: str, *options: str) -> None:
        self.commands = Commands(url, "", folder)
        self.commands.ok("db", "init")
        done = self.commands.run("user", "add", "ada", "--role", "admin", stdin="correct horse battery\n")
        assert done.returncode == 0, done.stderr
        with ReservedPort() as web, ReservedPort() as metrics:
            self.port, self.metrics_port = web.number, metrics.number
            self.service: TwistdService = start_service(
                "lars-web",
                "--db",
                url,
                f"--listen=tcp:{web.number}:interface=127.0.0.1",
                f"--metrics=tcp:{metrics.number}:interface=127.0.0.1",
                f"--trust-proxy={proxies}",
                f"--trust-user-header={HEADER}",
                *options,
            )

    async def get(self, path: str, *named: str, cookie: str = "", port: int = 0) -> tuple[int, str, str, str]:
        """Status, place, cookie and body of an answer."""

        def ask() -> tuple[int, str, str, str]:
            with closing(HTTPConnection("127.0.0.1", port or self.port, timeout=20)) as connection:
                connection.putrequest("GET", path)
                for name in named:
                    connection.putheader(HEADER, name)
                if cookie:
                    connection.putheader("Cookie", cookie)
                connection.endheaders()
                answer = connection.getresponse()
                session = re.match(r"lars_session=[^;]+", answer.getheader("Set-Cookie", ""))
                return (
                    answer.status,
                    answer.getheader("Location", ""),
                    session[0] if session else "",
                    answer.read().decode(),
                )

        return await deferToThread(ask)


async def test_user_whom_a_trusted_proxy_names_is_signed_in_and_out_with_it(
    start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    web = Web(start_service, sqlite_url, tmp_path, "127.0.0.1", "--new-header-users=viewer")
    await web.service.says("lars-web answers on")
    status, place, cookie, _ = await web.get("/sign-in?next=/users", "Ada")
    assert (status, place, bool(cookie)) == (303, "/users", True)
    assert (await web.get("/users", "Ada", cookie=cookie))[0] == 200
    status, place, _, _ = await web.get("/users", "eve", cookie=cookie)
    assert (status, place) == (303, "/sign-in?next=%2Fusers"), "the proxy has signed another user in"
    status, _, of_eve, _ = await web.get("/sign-in", "eve")
    assert status == 303
    assert (await web.get("/modules", "eve", cookie=of_eve))[0] == 200
    assert (await web.get("/users", "eve", cookie=of_eve))[0] == 403, "added as a viewer"
    assert (await web.get("/sign-in?notice=out", "eve"))[0] == 200, "who signs out is not signed in at once"
    assert (await web.get("/sign-in"))[0] == 200, "without the header, by password"
    assert (await web.get("/sign-in", "no such name!"))[0] == 403
    assert (await web.get("/sign-in", "ada", "eve"))[0] == 403, "twice"
    await web.service.stopped()


async def test_user_whom_nobody_has_added_is_refused(
    start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    web = Web(start_service, sqlite_url, tmp_path, "127.0.0.1")
    await web.service.says("lars-web answers on")
    status, _, cookie, text = await web.get("/sign-in", "eve")
    assert (status, cookie) == (403, "")
    assert "there is no such user here" in text
    await web.service.stopped()


async def test_header_from_anybody_else_is_refused_counted_and_logged_once(
    start_service: StartService, sqlite_url: str, tmp_path: Path
) -> None:
    web = Web(start_service, sqlite_url, tmp_path, "10.9.9.9")
    await web.service.says("lars-web answers on")
    for path in ("/sign-in", "/users", "/api/v1/modules"):
        status, _, cookie, text = await web.get(path, "ada")
        assert (status, cookie) == (403, "")
        assert text == "only a trusted proxy may say who you are: leave that header out\n"
    _, _, _, metrics = await web.get("/metrics", port=web.metrics_port)
    assert "lars_web_forged_users_total 3.0" in metrics
    assert web.service.log().count("is no trusted proxy") == 1
    await web.service.stopped()
