"""What strangers send neither stops the service nor fills its memory or its places."""

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.db.accounts import AccountStore, Session
from lars.db.database import Database
from lars.web.auth.secrets import digest_of, form_key, new_secret
from tests.integration.conftest import StartService
from tests.integration.waiting import until
from tests.integration.web.conftest import Site, token_of

SIZE = 16 * 1024 * 1024 - 100
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
PART = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n\r\n'

ATTACKS = {
    "semicolons": (URLENCODED, b"a=b;" * (SIZE // 4)),
    "ampersands": ("Application/X-WWW-Form-URLEncoded", b"a=b&" * (SIZE // 4)),
    "escapes": (URLENCODED, b"text=" + b"%41" * (SIZE // 3)),
    "parts": (MULTIPART, PART * 250_000),
}

PATIENCE = 1.0
"""Seconds in which get_host is answered, also on a busy machine; each of these bodies once stopped it for longer."""


def post(site: Site, content_type: str, body: bytes, **headers: str) -> int:
    """The status that a form is answered."""
    with closing(HTTPConnection(site.base.removeprefix("http://"), timeout=30)) as connection:
        connection.request("POST", "/transfer/preview", body, {"Content-Type": content_type, **headers})
        return connection.getresponse().status


async def answered_throughout(site: Site, work: Callable[[], int]) -> int:
    """The result of some work in a thread, during which get_host is always answered."""
    over = Event()

    def call() -> None:
        with LarsClient(site.agent, timeout=PATIENCE) as client:
            while True:
                client.get_host(1, 1)
                if over.wait(0.005):
                    return

    calling = deferToThread(call)
    try:
        status = await deferToThread(work)
    finally:
        over.set()
        await calling
    return int(status)


def memory(site: Site, field: str) -> int:
    """MB of the site's process: VmRSS now, VmHWM at most so far."""
    for line in Path(f"/proc/{site.stack.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) // 1024
    raise AssertionError(field)


async def test_strangers_body_is_not_parsed_and_takes_no_memory(reactor: Any, site: Site) -> None:
    await site.up()
    site.add_user("lea", "admin")
    site.commands.ok("route", "add", "1", "1", "10.0.0.1:80")
    await until(reactor, lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the route to be there")
    before = memory(site, "VmRSS")
    for name, (content_type, body) in ATTACKS.items():
        for cookie in ({}, {"Cookie": "lars_session=forged"}, {"Authorization": "Bearer lars_forged"}):
            status = await answered_throughout(site, lambda: post(site, content_type, body, **cookie))  # noqa: B023
            assert status == 403, name
    assert memory(site, "VmHWM") - before < 30


async def test_known_users_form_is_parsed_in_turns_and_within_limits(
    reactor: Any, site: Site, open_database: Callable[[str], Database]
) -> None:
    await site.up()
    site.add_user("lea", "editor")
    site.commands.ok("route", "add", "1", "1", "10.0.0.1:80")
    await until(reactor, lambda: site.commands.run("get-host", "1", "1").returncode == 0, "the route to be there")
    secret = new_secret()
    accounts = AccountStore(open_database(site.commands.database_url))
    await accounts.begin_session(Session(digest_of(secret), "lea", 0, 2**31), reactor.seconds())
    key = f"form_key={form_key(secret)}&".encode()
    before = memory(site, "VmRSS")
    for name, (content_type, body) in ATTACKS.items():
        sent = key + body[: SIZE - 200] if content_type != MULTIPART else body
        status = await answered_throughout(
            site,
            lambda: post(site, content_type, sent, Cookie=f"lars_session={secret}"),  # noqa: B023
        )
        assert status == {"semicolons": 422, "escapes": 422}.get(name, 413), name
    assert memory(site, "VmHWM") - before < 200


@pytest.fixture
def crowded_site(reactor: Any, start_service: StartService, tmp_path: Path) -> Iterator[Site]:
    """A site with thirty places, of which strangers of one address hold twenty."""
    conf = tmp_path / "web.conf"
    conf.write_text("[web]\nmax_connections = 30\nmax_strangers = 20\n", encoding="utf-8")
    site = Site(reactor, start_service, tmp_path, f"--web-config={conf}")
    yield site
    site.close()


async def test_connections_that_drip_keep_nobody_out(crowded_site: Site) -> None:
    site = crowded_site
    await site.up()
    headers = {"Authorization": f"Bearer {await token_of(site, 'editor')}"}
    place = site.base.removeprefix("http://")

    def work() -> None:
        with ExitStack() as opened:

            def ask(connection: HTTPConnection) -> int:
                connection.request("GET", "/api/v1/modules", headers=headers)
                answer = connection.getresponse()
                json.load(answer)
                return answer.status

            def drip(connection: socket.socket) -> None:
                try:
                    connection.send(b"X")
                except OSError:
                    dropped.add(connection)

            known = opened.enter_context(closing(HTTPConnection(place, timeout=10)))
            assert ask(known) == 200
            host, _colon, port = place.partition(":")
            slow, dropped = [], set[socket.socket]()
            for number in range(100):
                slow.append(opened.enter_context(closing(socket.create_connection((host, int(port))))))
                slow[-1].send(
                    b"POST /sign-in HTTP/1.1\r\nHost: lars\r\nContent-Length: 1000\r\n\r\n"[: 40 + number % 40]
                )
                for connection in slow:
                    drip(connection)
                if number % 10 == 9:
                    with closing(HTTPConnection(place, timeout=10)) as newcomer:
                        assert ask(newcomer) == 200
            assert ask(known) == 200
            assert len(dropped) >= 70

    await deferToThread(work)


async def test_head_with_an_absurd_length_is_refused_and_no_bug(site: Site) -> None:
    await site.up()

    def ask() -> bytes:
        host, _colon, port = site.base.removeprefix("http://").partition(":")
        with closing(socket.create_connection((host, int(port)), 10)) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: lars\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")
            return connection.recv(1000)

    assert (await deferToThread(ask)).startswith(b"HTTP/1.1 400 ")
    assert site.stack.bugs() == ""
