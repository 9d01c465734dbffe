"""The examples do what their READMEs show: fetch from hosts of which one is down, until it is ejected."""

import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.clients.built import Built
from tests.integration.fleet import Fleet
from tests.integration.processes import ReservedPort


class Page(BaseHTTPRequestHandler):
    """A host's one page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_what: object) -> None:
        pass


@pytest.fixture
def ports() -> Iterator[list[int]]:
    """Two ports with an HTTP server, and one that refuses connections."""
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Page) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    with ReservedPort() as down:
        yield [*(server.server_port for server in servers), down.number]
    for server in servers:
        server.shutdown()
        server.server_close()


def run(built: Built, fleet: Fleet, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {"LARS_AGENT": f"127.0.0.1:{fleet.agent_port}", "PATH": "/usr/bin:/bin"}
    return subprocess.run([*built.example, *arguments], env=environ, capture_output=True, text=True, timeout=60)


async def test_example_prints_what_its_readme_shows(built: Built, fleet: Fleet, ports: list[int]) -> None:
    await fleet.up()
    hosts = [f"127.0.0.1:{port}" for port in ports]
    fleet.commands.ok("route", "add", "1", "1", *hosts)
    await fleet.serves(*hosts)
    done = run(built, fleet, "1", "1")
    assert (done.returncode, done.stderr) == (0, "")
    made = counts_of(done.stdout)
    [shown] = re.findall(r"```\n((?:127.0.0.1:900.*\n)+)```", built.readme)
    for counts in (made, counts_of(shown)):
        *up, down = counts.values()
        assert all(called == answered >= 40 for called, answered in up)
        assert 1 <= down[0] <= 20
        assert down[1] == 0
        assert sum(called for called, _ in counts.values()) == 100
    assert (set(made), list(made)[-1]) == (set(ports), ports[-1])
    answered = sum(answered for _, answered in made.values())
    await fleet.counts(answered, 100 - answered)


def counts_of(printed: str) -> dict[int, tuple[int, int]]:
    """By port: the calls and answers that an example prints, the host that is down last."""
    lines = re.findall(r"127\.0\.0\.1:(\d+)  (\d+) calls, (\d+) answered\n", printed)
    assert (
        "".join(f"127.0.0.1:{port}  {called} calls, {answered} answered\n" for port, called, answered in lines)
        == printed
    )
    counts = {int(port): (int(called), int(answered)) for port, called, answered in lines}
    return dict(sorted(counts.items(), key=lambda item: item[1][1] == 0))


async def test_example_ends_with_one_line_when_lars_says_no(built: Built, fleet: Fleet) -> None:
    await fleet.up()
    refused = run(built, fleet, "7", "8")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(r"\S+: module \(7, 8\) has no hosts .*\n", refused.stderr)
    for wrong in (["-1", "1"], ["0", "0"]):
        done = run(built, fleet, *wrong)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert run(built, fleet).returncode == 2
