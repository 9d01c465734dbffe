"""Figure `wire`: frames echoed through the wire protocol alone."""

import socket
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.pipeline import Pipelined, pipelined, saturated
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort
from bench.processes.process_tree import cpu_seconds
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from lars.wire.lars_pb2 import GetRouteRequest, GetRouteResponse, HostInfo
from lars.wire.messages import MessageId, encode_message

_FRAMES = 4_000
_WINDOW = 3_000


def small_frames() -> list[bytes]:
    """Requests of 12 bytes, all different in a row of 100."""
    requests = [GetRouteRequest(modid=1 + n % 100, cmdid=1 + n // 100) for n in range(_FRAMES)]
    return [encode_message(MessageId.GET_ROUTE_REQUEST, request) for request in requests]


def larger_frames() -> list[bytes]:
    """Responses of about 200 bytes: 16 hosts."""
    hosts = [HostInfo(ip=(10 << 24) + n, port=20_000) for n in range(16)]
    responses = [GetRouteResponse(modid=1 + n % 100, cmdid=1 + n // 100, host=hosts) for n in range(_FRAMES)]
    return [encode_message(MessageId.GET_ROUTE_RESPONSE, response) for response in responses]


def measure_wire(figure: Figure, seconds: float) -> None:
    """Frames of each size, echoed for so many seconds."""
    with tempfile.TemporaryDirectory(prefix="lars-bench-wire-") as folder, ReservedPort() as port:
        command = [sys.executable, "-m", "bench.services.wire_echo", str(port.number)]
        with ChildProcess("wire-echo", command, Path(folder), checkout_environ()) as echo:
            echo.start()
            for frames in (small_frames(), larger_frames()):
                with until(partial(_connected, echo, port.number), "the echo to listen", 30) as sock:
                    _echoed(figure, echo, sock, frames, seconds)


def _connected(echo: ChildProcess, port: int) -> socket.socket | None:
    echo.require_running()
    with suppress(ConnectionRefusedError):
        sock = socket.create_connection(("127.0.0.1", port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    return None


def _echoed(figure: Figure, echo: ChildProcess, sock: socket.socket, frames: list[bytes], seconds: float) -> None:
    size, stream = len(frames[0]), b"".join(frames)
    if len(stream) != size * len(frames):
        raise BenchError("the frames are not of one size")
    pipelined(sock, stream, size, size, _WINDOW, min(1.0, seconds))  # warm-up
    before = cpu_seconds(echo.pid)
    done = pipelined(sock, stream, size, size, _WINDOW, seconds)
    cpu = cpu_seconds(echo.pid) - before
    figure.measure(f"echoed, {size} bytes", done.per_second, "frames/s")
    figure.measure(f"echoed, {size} bytes, CPU of the echo", cpu / done.answered * 1e6, "µs/frame")
    echo_share, client_share = cpu / done.seconds, done.client_cpu / done.seconds
    figure.facts[f"{size} bytes"] = {
        "seconds": round(done.seconds, 2),
        "window": _WINDOW,
        "echo, share of a core": round(echo_share, 2),
        "client, share of a core": round(client_share, 2),
        "saturated": saturated(echo=echo_share, client=client_share),
        "checked": f"all {_check(done, stream)} bytes",
    }


def _check(done: Pipelined, sent: bytes) -> int:
    """How many bytes came; each must be what was sent."""
    twice, position = sent + sent, 0
    for piece in done.stream:
        for start in range(0, len(piece), len(sent)):
            part = piece[start : start + len(sent)]
            if not twice.startswith(part, position % len(sent)):
                raise BenchError("what was echoed is not what was sent")
            position += len(part)
    return position
