"""Figure `checks`: what an agent's health checks cost it at their full rate, beside the same agent without them."""

import socket
import threading
import time
from collections.abc import Iterator

from bench.figure import Figure
from bench.processes.process_tree import tree_cpu_seconds
from bench.services.lars_agent import LarsAgent
from bench.services.testbed import Testbed
from lars.route import HostAddress, ModuleId, parse_ip

_MODULES, _HOSTS = 30, 10
"""300 hosts at an interval of five seconds are more than the 50 checks a second that an agent makes."""

_RATE = 50.0
_SECONDS = 20.0
_WARM_UP = 6.0
_BAR = 0.05
_FIRST_IP = parse_ip("127.1.0.1")

_KINDS = {
    "off": "* health_check.when=off",
    "tcp": "* health_check.when=always",
    "http": "* health_check.when=always health_check.type=http health_check.path=/healthz",
}


def measure_checks(testbed: Testbed, figure: Figure) -> None:
    """CPU time of an agent that only checks hosts, none of which is called."""
    seconds = 4.0 if testbed.small else _SECONDS
    figure.facts |= {"hosts": _MODULES * _HOSTS, "check_rate": _RATE, "seconds": seconds}
    with _Hosts() as hosts:
        cores = {kind: _cores(figure, kind, hosts, seconds) for kind in _KINDS}
    for kind in ("tcp", "http"):
        figure.measure(f"{kind}: cores for checks", cores[kind] - cores["off"], "cores", at_most=_BAR)


def _cores(figure: Figure, kind: str, hosts: "_Hosts", seconds: float) -> float:
    with LarsAgent.launched(hosts.routes(), f"--module-settings={_KINDS[kind]}", f"--check-rate={_RATE}") as agent:
        time.sleep(_WARM_UP)
        before, taken, begin = hosts.connections, tree_cpu_seconds(agent.pid), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - begin
        cores = (tree_cpu_seconds(agent.pid) - taken) / passed
        rate = (hosts.connections - before) / passed
    figure.measure(f"{kind}: the agent", cores, "cores")
    if kind != "off":
        figure.measure(f"{kind}: checks", rate, "a second", at_most=_RATE * 1.02)
        figure.measure(f"{kind}: checks at least", rate, "a second", at_least=_RATE * 0.9)
    return cores


class _Hosts:
    """One server for all addresses of 127.0.0.0/8 at its port; it answers each request with 200."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("0.0.0.0", 0), backlog=256)
        self._port: int = self._socket.getsockname()[1]
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="hosts", daemon=True)
        self.connections = 0

    def routes(self) -> dict[ModuleId, list[HostAddress]]:
        """Modules whose hosts are all this server."""
        ips: Iterator[int] = iter(range(_FIRST_IP, _FIRST_IP + _MODULES * _HOSTS))
        return {
            ModuleId(1, cmdid): [HostAddress(next(ips), self._port) for _ in range(_HOSTS)]
            for cmdid in range(1, _MODULES + 1)
        }

    def __enter__(self) -> "_Hosts":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended = True
        with socket.create_connection(("127.0.0.1", self._port)):
            pass
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ended:
            connection, _peer = self._socket.accept()
            self.connections += 1
            with connection:
                connection.settimeout(1.0)
                try:
                    if connection.recv(4096):
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except OSError:
                    continue
