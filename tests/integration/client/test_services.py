"""The services in examples/, each with a real agent, a host that answers and one that refuses."""

import http.server
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from lars.route import ModuleId, parse_host
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.processes import Child, ReservedPort

ROOT = Path(__file__).parents[3]


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"a page")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def up() -> Iterator[str]:
    """A host that answers."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def down() -> Iterator[str]:
    """A host that refuses."""
    with ReservedPort() as port:
        yield f"127.0.0.1:{port.number}"


@pytest.fixture
def agent(start_service: StartService, tmp_path: Path, up: str, down: str) -> Iterator[LoneAgent]:
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): [parse_host(down), parse_host(up)]})
    yield agent
    agent.close()


@pytest.mark.parametrize("name", ["blocking_fetch", "asyncio_fetch"])
async def test_every_fetch_is_answered_although_one_host_refuses(agent: LoneAgent, up: str, name: str) -> None:
    await agent.up()
    environ = {**os.environ, "LARS_AGENT": agent.address, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / f"{name}.py"), "20"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)

    done = await deferToThread(run)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.splitlines() == [f"{up} 200"] * 20
    assert await agent.counted("lars_agent_reports_total") > 20


async def test_proxy_answers_every_request_although_one_host_refuses(
    reactor: Any, agent: LoneAgent, up: str, tmp_path: Path
) -> None:
    await agent.up()
    environ = {"LARS_AGENT": agent.address, "PYTHONPATH": str(ROOT)}
    with ReservedPort() as port:
        script = str(ROOT / "examples" / "twisted_proxy.py")
        proxy = Child(reactor, "proxy", [sys.executable, script, str(port.number)], tmp_path, environ)
        proxy.start()
        try:
            await proxy.says("listening on")

            def fetch() -> tuple[str, str]:
                with urllib.request.urlopen(f"http://127.0.0.1:{port.number}/", timeout=20) as answer:
                    return answer.read().decode(), answer.headers["X-Host"]

            for _ in range(20):
                assert await deferToThread(fetch) == ("a page", up)
        finally:
            proxy.close()
        assert "Traceback" not in proxy.log()
