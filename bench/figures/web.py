"""How fast the console answers, takes registrations, and what its streams cost."""

import json
import random
import socket
import time
from contextlib import ExitStack
from functools import partial
from typing import Any

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.module_process import run_module
from bench.load.web_data import fill_history_txn, routes
from bench.processes.process_tree import cpu_seconds
from bench.services.lars_web import LarsWeb
from bench.services.testbed import Testbed

MODULES = 100_000
ROWS = 1_000_000
PARTS = 40
SECONDS = 20
"""How long pages are asked for."""

RATE = 20
REGISTRATIONS = 6_000
NODES = 1_000
"""Hosts that register themselves: each is new once, then renews."""

BROWSERS = 200


def console(testbed: Testbed, modules: int, rows: int) -> LarsWeb:
    """A lars-web on a database of so many modules and rows of history; it is ready."""
    database = testbed.database()
    database.fill(routes(modules))
    for part in range(PARTS if rows else 0):
        database.run(partial(fill_history_txn, modules=modules, rows=rows, part=part, parts=PARTS))
    web = testbed.own(LarsWeb(database.url))
    database.run(web.add_user_txn)
    return web.launch()


def load(web: LarsWeb, requests: list[tuple[str, str]], headers: dict[str, str], rate: float, connections: int) -> Any:
    """What the client process printed (bench/load/web_client.py)."""
    task = {"port": web.port, "headers": headers, "requests": requests, "rate": rate, "connections": connections}
    return run_module("bench.load.web_client", stdin=json.dumps(task), deadline=170)


def measure_pages(testbed: Testbed, figure: Figure) -> None:
    """Overview, lists and modules, at RATE requests a second together."""
    modules = testbed.size(MODULES)
    web = console(testbed, modules, testbed.size(ROWS))
    chance = random.Random(1)

    def module() -> str:
        n = chance.randrange(modules)
        return f"/modules/{1 + n // 1000}/{n % 1000}?span={chance.choice(['1h', '6h', '24h', '7d'])}"

    paths = {"overview": lambda: "/", "list": lambda: f"/modules?page={chance.randrange(1, 20)}", "module": module}
    cookie = {"Cookie": f"lars_session={web.session}"}
    load(web, [("GET", paths[name]()) for name in paths], cookie, 0, 1)  # caches of the database
    names = [chance.choice(list(paths)) for _ in range(SECONDS * RATE)]
    found = load(web, [("GET", paths[name]()) for name in names], cookie, RATE, 16)
    if found["bad"]:
        raise BenchError(f"{found['bad']} requests were refused")
    by_name: dict[str, list[float]] = {name: [] for name in paths}
    for path, seconds in found["samples"]:
        by_name["overview" if path == "/" else "list" if "?page" in path else "module"].append(seconds * 1000)
    for name, samples in by_name.items():
        figure.spread(name, samples, "ms", (0.5, 0.99, 1), {0.99: 300})


def measure_registrations(testbed: Testbed, figure: Figure) -> None:
    """Hosts that register themselves, new ones and renewals."""
    web = console(testbed, testbed.size(MODULES), 0)
    nodes = [f"10.{n // 250}.{n % 250}.1:80" for n in range(NODES)]
    bearer = {"Authorization": f"Bearer {web.token}"}

    def asked(count: int) -> list[tuple[str, str]]:
        return [("PUT", f"/api/v1/modules/{500 + n % 20}/1/hosts/{nodes[n % NODES]}?ttl=60") for n in range(count)]

    new = load(web, asked(NODES), bearer, 0, 200)
    renewed = load(web, asked(testbed.size(REGISTRATIONS)), bearer, 0, 16)
    if new["bad"] or renewed["bad"]:
        raise BenchError("registrations were refused")
    figure.measure("new", NODES / new["seconds"], "/s", at_least=500)
    figure.measure("renewed", len(renewed["samples"]) / renewed["seconds"], "/s", at_least=500)


def measure_streams(testbed: Testbed, figure: Figure) -> None:
    """Live numbers to many browsers: half of them at the overview, the others at a hundred modules."""
    web = console(testbed, testbed.size(MODULES), testbed.size(ROWS))
    browsers = testbed.size(BROWSERS)
    with ExitStack() as stack:
        sockets = []
        for n in range(browsers):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 10))
            path = "/live/fleet" if n % 2 else f"/live/modules/1/{n}"
            head = f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: lars_session={web.session}\r\n\r\n"
            sock.sendall(head.encode())
            sockets.append(sock)
        time.sleep(5)
        for sock in sockets:
            if b"200 OK" not in sock.recv(65536):
                raise BenchError("a stream was refused")
        before, began = cpu_seconds(web.pid), time.monotonic()
        time.sleep(20)
        used = (cpu_seconds(web.pid) - before) / (time.monotonic() - began)
        read = 0
        for sock in sockets:
            sock.setblocking(False)
            read += len(sock.recv(1 << 20))
    if not read:
        raise BenchError("no stream sent anything")
    figure.measure("cores used", used, "cores", at_most=0.5)
    figure.facts["browsers"] = browsers
