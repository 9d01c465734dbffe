"""Registration and `lars register` with a real lars-web."""

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from bench.processes.twistd import checkout_environ
from lars.client.registration import Registration, RegistrationRefused
from lars.db.accounts import AccountStore, NewToken
from lars.db.database import Database
from lars.errors import InvalidRoute, SettingsError
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret
from tests.integration.conftest import StartService
from tests.integration.fleet import Commands
from tests.integration.processes import Child, ReservedPort, TwistdService
from tests.integration.waiting import until

SERVER = """
import signal, socketserver, sys, threading
def ended(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM:
        sys.exit(7)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, ended)
server = socketserver.TCPServer(("127.0.0.1", int(sys.argv[1])), socketserver.BaseRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("serves", flush=True)
while True:
    signal.pause()
"""


class Web:
    """A lars-web on a database of its own, and a token of an editor."""

    def __init__(self, start: StartService, database_url: str, folder: Path) -> None:
        Commands(database_url, "", folder).ok("db", "init")
        self._port = ReservedPort()
        self.url = f"http://127.0.0.1:{self._port.number}"
        self.token = TOKEN_PREFIX + new_secret()
        self.service: TwistdService = start("lars-web", "--db", database_url, f"--listen={self._port.endpoint}")

    async def up(self, database: Database) -> None:
        await self.service.says("lars-web answers on")
        accounts = AccountStore(database)
        await accounts.add("test", "node", "no hash", "editor", 0)
        await accounts.add_token("test", NewToken(digest_of(self.token), "test", "node", "editor"), 0)

    async def hosts(self) -> list[str]:
        """The hosts of (1, 1)."""

        def read() -> list[str]:
            request = Request(f"{self.url}/api/v1/modules/1/1", None, {"Authorization": f"Bearer {self.token}"})
            with urlopen(request, timeout=10) as answer:
                return sorted(host["host"] for host in json.loads(answer.read())["hosts"])

        found: list[str] = await deferToThread(read)
        return found

    def close(self) -> None:
        self._port.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def web(
    start_service: StartService, sqlite_url: str, open_database: Callable[[str], Database], tmp_path: Path
) -> AsyncIterator[Web]:
    web = Web(start_service, sqlite_url, tmp_path)
    await web.up(open_database(sqlite_url))
    yield web
    web.close()


async def test_host_is_in_the_route_for_the_block_and_stays_beyond_its_ttl(reactor: Any, web: Web) -> None:
    registration = Registration(web.url, 1, 1, port=8080, ttl=3, token=web.token)
    await deferToThread(registration.start)
    assert registration.registered
    assert await web.hosts() == ["127.0.0.1:8080"]
    child = os.fork()
    if not child:
        registration.close()
        os._exit(0)
    os.waitpid(child, 0)
    begin = reactor.seconds()

    async def outlived() -> bool:
        assert await web.hosts() == ["127.0.0.1:8080"], "the host has left, though its parent renews"
        return bool(reactor.seconds() > begin + 6)  # the ttl, and what lars-web waits beyond it

    await until(reactor, outlived, "a ttl to pass", 15)
    await deferToThread(registration.close)
    assert await web.hosts() == []
    await deferToThread(registration.close)


async def test_wrong_token_is_refused_in_one_line(web: Web) -> None:
    registration = Registration(web.url, 1, 1, port=8080, token="lars_wrong")
    with pytest.raises(RegistrationRefused, match=r"does not register 127\.0\.0\.1:8080 in module \(1, 1\): 401"):
        await deferToThread(registration.start)
    await deferToThread(registration.close)


async def test_service_starts_without_lars_web_and_is_registered_when_it_is_back(
    reactor: Any, web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lars.client")
    web.service.kill()
    await web.service.ended()
    registration = Registration(web.url, 1, 1, port=8080, ttl=3, token=web.token)
    await deferToThread(registration.start)
    assert not registration.registered
    web.service.start()
    await until(reactor, lambda: registration.registered, "the registration to be taken")
    await deferToThread(registration.close)
    assert await web.hosts() == []
    said = [record.getMessage().partition(": ")[0] for record in caplog.records]
    assert said == [
        "127.0.0.1:8080 is not registered in module (1, 1); trying again",
        "127.0.0.1:8080 is registered in module (1, 1)",
    ]


def test_server_that_is_no_lars_web_is_no_traceback() -> None:
    class Other(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.wfile.write(b"\xff\x00 no HTTP\r\n\r\n")

        do_DELETE = do_PUT

    server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        with Registration(f"http://127.0.0.1:{server.server_port}", 1, 1, port=80, token="t") as registration:
            assert not registration.registered
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_arguments_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LARS_TOKEN", raising=False)
    good: dict[str, Any] = {"url": "http://127.0.0.1:7780", "modid": 1, "cmdid": 1, "port": 80, "token": "t"}
    for wrong, kind in (
        ({"url": "127.0.0.1:7780"}, SettingsError),
        ({"ttl": 2}, SettingsError),
        ({"token": None}, SettingsError),
        ({"port": 0}, InvalidRoute),
        ({"ip": "node.example"}, InvalidRoute),
        ({"modid": 0, "cmdid": 0}, InvalidRoute),
    ):
        with pytest.raises(kind):
            Registration(**{**good, **wrong})


def registering(reactor: Any, web: Web, folder: Path, port: int, *command: str, token: str = "") -> Child:
    """`lars register` of a server, started."""
    script = folder / "server.py"
    script.write_text(SERVER, encoding="utf-8")
    child = Child(
        reactor,
        "lars-register",
        [sys.executable, "-m", "lars.cli", "register", "1", "1", f":{port}", "--web", web.url, "--ttl", "3",
         "--drain", "1", "--", *(command or (sys.executable, str(script), str(port)))],
        folder,
        {**checkout_environ(), "LARS_TOKEN": token or web.token},
    )  # fmt: skip
    child.start()
    return child


async def test_command_is_in_the_route_while_it_runs_and_out_of_it_before_it_is_stopped(
    reactor: Any, web: Web, tmp_path: Path
) -> None:
    place = ReservedPort()
    port = place.number
    place.close()
    child = registering(reactor, web, tmp_path, port)
    try:
        await child.says(f"127.0.0.1:{port} is registered")
        assert child.log().index("serves") < child.log().index("is registered")
        assert await web.hosts() == [f"127.0.0.1:{port}"]
        os.kill(child.pid, signal.SIGHUP)
        await child.says("got SIGHUP")
        assert await web.hosts() == [f"127.0.0.1:{port}"]
        child.terminate()

        async def is_out() -> bool:
            found = not await web.hosts()
            assert found or "got SIGTERM" not in child.log(), "it was stopped while callers could still get it"
            return found

        await until(reactor, is_out, "the host to be taken out")
        assert "got SIGTERM" not in child.log()
        assert await child.ended() == 7
        assert "got SIGTERM" in child.log()
    finally:
        child.close()


async def test_command_that_ends_is_taken_out_and_its_status_is_the_status(
    reactor: Any, web: Web, tmp_path: Path
) -> None:
    child = registering(reactor, web, tmp_path, 1, "sh", "-c", "exit 3")
    assert await child.ended() == 3
    child.close()
    child = registering(reactor, web, tmp_path, 1, "sh", "-c", "kill -9 $$")
    assert await child.ended() == 128 + 9
    child.close()
    child = registering(reactor, web, tmp_path, 1, "no-such-program")
    assert await child.ended() == 127
    assert child.log().endswith("lars: no-such-program: No such file or directory\n")
    child.close()
    assert "Traceback" not in child.log()


async def test_command_whose_registration_is_refused_is_stopped(reactor: Any, web: Web, tmp_path: Path) -> None:
    place = ReservedPort()
    port = place.number
    place.close()
    child = registering(reactor, web, tmp_path, port, token="lars_wrong")
    assert await child.ended() == 1
    assert "lars: lars-web does not register" in child.log()
    assert "got SIGTERM" in child.log()
    child.close()
