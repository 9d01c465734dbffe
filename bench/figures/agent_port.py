"""Figure `port`: what the agent's own UDP port saves over Twisted's, both driving the same protocol."""

import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.figure import Figure
from bench.load.c_programs import compiled
from bench.load.udp_load import Load, UdpLoad
from bench.processes.child_process import ChildProcess
from bench.processes.ports import free_udp_base, udp_port_is_open
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from bench.services.testbed import Testbed

_KINDS = ("lars", "twisted")
_ROUNDS = 5
_SECONDS = 3.0


def measure_port(testbed: Testbed, figure: Figure) -> None:
    """Three shards in a process on either port, under the same load in turn."""
    seconds, rounds = 0.3 if testbed.small else _SECONDS, testbed.size(_ROUNDS)
    figure.facts["rounds"] = f"{rounds} of {seconds:g} s each, in turn"
    taken: dict[str, list[Load]] = {kind: [] for kind in _KINDS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lars-bench-port-")))
        udpload = compiled("udpload", folder)
        loads = {kind: _started(stack, kind, folder, udpload) for kind in _KINDS}
        for load in loads.values():
            load.round(seconds / 3)  # warm-up
        for _ in range(rounds):
            for kind, load in loads.items():
                taken[kind].append(load.round(seconds))
    lars, twisted = (Load.median(taken[kind]) for kind in _KINDS)
    for kind, found in (("lars", lars), ("twisted", twisted)):
        figure.measure(f"{kind}: cycles", found.cycles_per_s, "cycles/s")
        figure.measure(f"{kind}: CPU", found.cpu_us_per_cycle, "µs/cycle")
        figure.measure(f"{kind}: get_host p99", found.p99_us, "µs")
    figure.measure("cycles, lars/twisted", lars.cycles_per_s / twisted.cycles_per_s, "times")
    figure.measure("CPU, lars/twisted", lars.cpu_us_per_cycle / twisted.cpu_us_per_cycle, "times")


def _started(stack: ExitStack, kind: str, folder: Path, udpload: str) -> UdpLoad:
    base_port = free_udp_base(3)
    command = [sys.executable, "-m", "bench.services.udp_shards", kind, str(base_port)]
    shards = stack.enter_context(ChildProcess(f"shards-{kind}", command, folder, checkout_environ()))
    shards.start()
    until(partial(_is_open, shards, base_port), f"the shards on a {kind} port to listen", 30)
    return UdpLoad(udpload, base_port, shards.pid)


def _is_open(shards: ChildProcess, base_port: int) -> bool:
    shards.require_running()
    return all(udp_port_is_open(base_port + number) for number in range(3))
