"""The programs of docs/recipes.md and docs/integrations.md, as they stand, against a real agent."""

import re
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.threads import deferToThread

from lars.client.integrations.attempts import module_of
from lars.route import ModuleId, parse_host
from tests.integration.client.integrations.http_hosts import HttpHost
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService

DOCS = Path(__file__).parents[4] / "docs"


def program(page: str, heading: str) -> str:
    """The Python of a section."""
    sections = re.split(r"^## ", (DOCS / page).read_text(encoding="utf-8"), flags=re.M)
    [section] = [part for part in sections if part.startswith(f"{heading}\n")]
    return "\n".join(re.findall(r"^```python\n(.*?)^```", section, flags=re.M | re.S))


async def said(agent: LoneAgent, page: str, heading: str, drive: str, replace: tuple[str, str] = ("", "")) -> str:
    """What a program prints that is driven by further lines."""
    source = program(page, heading)
    assert replace[0] in source
    source = f"{source.replace(*replace) if replace[0] else source}\n{drive}\n"

    def run() -> subprocess.CompletedProcess[str]:
        environ = {"LARS_AGENT": agent.address, "PATH": "", "PYTHONPATH": str(DOCS.parent)}
        return subprocess.run(
            [sys.executable, "-W", "error::ResourceWarning", "-c", source],
            env=environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    done: subprocess.CompletedProcess[str] = await deferToThread(run)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("heading", "drive"),
    [
        (
            "FastAPI",
            "import fastapi.testclient as t\nwith t.TestClient(app) as web: print(web.get('/left/17').json()['left'])",
        ),
        (
            "Django",
            "import django.conf\ndjango.conf.settings.configure()\nprint(left(None, 17).content.decode())",
        ),
        ("Celery", "app.conf.task_always_eager = True\nprint(left.delay(17).get())"),
    ],
)
async def test_http_recipe_calls_a_host(agent: LoneAgent, hosts: list[HttpHost], heading: str, drive: str) -> None:
    assert await said(agent, "recipes.md", heading, drive) in [host.address for host in hosts]
    assert [path for host in hosts for _method, path, _host in host.asked] == ["/stock/17"]


@pytest.mark.parametrize(
    ("heading", "drive"),
    [("HTTP", "print(http.get('http://1.1.lars/').text)"), ("gRPC", "print('made')"), ("Pools", "")],
)
async def test_programs_of_the_integrations_page_run(agent: LoneAgent, heading: str, drive: str) -> None:
    assert await said(agent, "integrations.md", heading, drive)


async def test_sqlalchemy_connects_to_a_host_of_the_module(
    start_service: StartService, tmp_path: Path, mariadb_url: str
) -> None:
    place = mariadb_url.rpartition("@")[2].partition("/")[0]
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 2): [parse_host(place)]})
    await agent.up()
    theirs = mariadb_url.replace("mysql://", "mysql+pymysql://").replace(place, "replicas")
    drive = "from sqlalchemy import text\nwith engine.connect() as c: print(c.execute(text('SELECT 6 * 7')).scalar())"
    replace = ("mysql+pymysql://reader:secret@replicas/shop", theirs)
    assert await said(agent, "recipes.md", "SQLAlchemy", drive, replace) == "42"
    agent.close()


class RedisHandler(socketserver.StreamRequestHandler):
    """As much of a redis server as a GET needs (RESP, redis.io)."""

    def handle(self) -> None:
        while head := self.rfile.readline():
            words = []
            for _ in range(int(head[1:])):
                length = int(self.rfile.readline()[1:])
                words.append(self.rfile.read(length + 2)[:-2])
            if words[0].upper() == b"GET":
                self.wfile.write(b"$%d\r\n%s\r\n" % (len(words[1]), words[1]))
            elif words[0].upper() == b"HELLO":
                self.wfile.write(b"%1\r\n$5\r\nproto\r\n:3\r\n")
            else:
                self.wfile.write(b"+OK\r\n")


@pytest.fixture
def redis_place() -> Iterator[str]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), RedisHandler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


async def test_redis_is_asked_at_a_host_of_the_module(
    start_service: StartService, tmp_path: Path, redis_place: str
) -> None:
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 3): [parse_host(redis_place)]}, "--policy=consistent_hash")
    await agent.up()
    drive = "print(cached('user 17'), caches.close(), caches._client.close())"
    assert await said(agent, "recipes.md", "redis", drive) == "b'user 17' None None"
    agent.close()


def test_every_name_of_a_module_in_the_pages_is_one() -> None:
    for page in ("recipes.md", "integrations.md"):
        for name in re.findall(r"//([\w.]+\.lars)", (DOCS / page).read_text(encoding="utf-8")):
            assert module_of(name) is not None
