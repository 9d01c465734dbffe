"""Figure `requests`: routes asked for on one connection, many at a time and one at a time."""

import socket
import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.pipeline import Pipelined, pipelined, saturated
from bench.load.routes import Routes
from bench.processes.process_tree import core_wait_seconds, cpu_seconds
from bench.services.dns_client import answers, ask
from bench.services.lars_dns import LarsDns
from bench.services.testbed import Testbed

_ROUTES = Routes(modules=4_000)
_WINDOW = 3_000
"""Less than the modules: dns may answer two waiting requests of a connection for one module together."""

_SECONDS = 12.0
_LONE = 10_000
_BAR = 60_000


def measure_requests(testbed: Testbed, figure: Figure) -> None:
    """One connection that asks for all modules, round and round."""
    database = testbed.database()
    database.fill(_ROUTES.rows(), _ROUTES.settings())
    dns = testbed.dns(database)
    dns.start()
    dns.until_answering(_ROUTES.module(0), 30)
    with socket.create_connection(("127.0.0.1", dns.port), 30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        first = b"".join(ask(sock, _ROUTES.module(index)) for index in range(_ROUTES.modules))
        _check(first, _ROUTES.modules)
        _pipelined(testbed, figure, dns, sock, len(first) // _ROUTES.modules)
    with socket.create_connection(("127.0.0.1", dns.port), 30) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _lone(testbed, figure, sock)
    dns.close()


def _pipelined(testbed: Testbed, figure: Figure, dns: LarsDns, sock: socket.socket, answer_size: int) -> None:
    requests = _ROUTES.requests(0, _ROUTES.modules)
    request_size = len(requests) // _ROUTES.modules
    pipelined(sock, requests, request_size, answer_size, _WINDOW, 1.0)  # warm-up
    before, waited = cpu_seconds(dns.pid), core_wait_seconds(dns.pid)
    done = pipelined(sock, requests, request_size, answer_size, _WINDOW, testbed.size(int(_SECONDS)))
    dns_cpu, waited = cpu_seconds(dns.pid) - before, core_wait_seconds(dns.pid) - waited
    figure.measure("pipelined", done.per_second, "requests/s", at_least=_BAR)
    figure.measure("pipelined, CPU of dns", dns_cpu / done.answered * 1e6, "µs/request")
    dns_share, client_share = dns_cpu / done.seconds, done.client_cpu / done.seconds
    figure.facts["pipelined"] = {
        "seconds": round(done.seconds, 2),
        "window": _WINDOW,
        "modules": _ROUTES.modules,
        "hosts a module": _ROUTES.hosts,
        "bytes an answer": answer_size,
        "dns, share of a core": round(dns_share, 2),
        "dns waited for a core, s": round(waited, 2),
        "client, share of a core": round(client_share, 2),
        "saturated": saturated(dns=dns_share, client=client_share),
        "checked": f"all {_check_all(done, answer_size)} answers",
    }


def _lone(testbed: Testbed, figure: Figure, sock: socket.socket) -> None:
    frames = [_ROUTES.requests(index, 1) for index in range(_ROUTES.modules)]
    answer_size = len(ask(sock, _ROUTES.module(0)))
    delays = []
    for number in range(testbed.size(_LONE)):
        frame = frames[number % len(frames)]
        begin = time.perf_counter()
        sock.sendall(frame)
        answer = sock.recv(answer_size, socket.MSG_WAITALL)
        delays.append((time.perf_counter() - begin) * 1e6)
        if len(answer) != answer_size:
            raise BenchError("lars-dns closed the connection instead of answering")
    figure.spread("alone", delays, "µs", (0.5, 0.99, 1), {})


def _check_all(done: Pipelined, answer_size: int) -> int:
    """How many answers there are; each different one is decoded and compared."""
    stream = b"".join(done.stream)
    different = {stream[start : start + answer_size] for start in range(0, len(stream), answer_size)}
    _check(b"".join(different), len(different))
    return len(stream) // answer_size


def _check(stream: bytes, frames: int) -> None:
    count = 0
    for answer in answers(stream):
        count += 1
        if not _ROUTES.is_route(answer):
            raise BenchError(f"the answer for module {answer.module} is wrong: {answer.hosts}")
    if count != frames:
        raise BenchError(f"{frames} answers were expected, {count} arrived")
