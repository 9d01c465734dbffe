"""Figure `httpx`: what the transport of Lars adds to a request of httpx."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from bench.figure import Figure
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort, takes_connections
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from lars.client import LarsClient
from lars.client.integrations.httpx import LarsTransport
from lars.route import HostAddress, ModuleId

MODULE = ModuleId(1, 1)

_ROUNDS = 101
_ROUND_REQUESTS = 100

_ADDED_BAR = 5.0


def measure_httpx(figure: Figure, small: bool) -> None:
    """Requests on one kept connection, plain and through the transport in turn: under the same load of the machine."""
    place = ReservedPort()
    port = place.number
    place.close()
    with TemporaryDirectory(prefix="lars-bench-httpx-") as folder:
        command = [sys.executable, "-m", "bench.load.http_server", str(port)]
        with ChildProcess("http-server", command, Path(folder), checkout_environ()) as server:
            server.start()
            until(lambda: takes_connections(port), "the HTTP server to answer", 30)
            with LarsAgent.launched({MODULE: [HostAddress(127 << 24 | 1, port)]}) as agent:
                _measure(figure, agent.address, port, 5 if small else _ROUNDS)


def _measure(figure: Figure, agent: str, port: int, rounds: int) -> None:
    plain, added = [], []
    with (
        LarsClient(agent, state_dir="") as client,
        httpx.Client() as directly,
        httpx.Client(transport=LarsTransport(client)) as through,
    ):
        client.ready(*MODULE, timeout=30)
        name, host = f"http://{MODULE.modid}.{MODULE.cmdid}.lars/item?id=17", f"http://127.0.0.1:{port}/item?id=17"
        for turn in range(rounds + 1):
            pair = [lambda: _seconds(directly, host), lambda: _seconds(through, name)]
            first, second = _both(pair, turn % 2 == 1)
            if turn:  # the first warms up
                plain.append(first)
                added.append((second / first - 1) * 100)
    figure.facts["rounds, in turn"] = f"{rounds} of {_ROUND_REQUESTS} requests"
    figure.measure("plain httpx", median(plain) * 1e6, "µs/request")
    figure.measure("added by the transport", median(added), "%", at_most=_ADDED_BAR)


def _both(pair: list[Callable[[], float]], reverse: bool) -> tuple[float, float]:
    """What both give, called in this order or the other."""
    if reverse:
        second = pair[1]()
        return pair[0](), second
    return pair[0](), pair[1]()


def _seconds(http: httpx.Client, url: str) -> float:
    """Of one request, on average."""
    began = time.perf_counter()
    for _ in range(_ROUND_REQUESTS):
        http.get(url)
    return (time.perf_counter() - began) / _ROUND_REQUESTS
