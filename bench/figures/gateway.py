"""Figures `http` and `dns`: what a host costs through lars-gateway."""

from collections.abc import Callable
from http.client import HTTPConnection, HTTPException
from typing import Any

from bench.figure import Figure
from bench.load.module_process import run_module
from bench.processes.process_tree import cpu_seconds
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from bench.services.lars_gateway import LarsGateway

_SECONDS = 10.0
_WARM_UP = 1.0

_CYCLES_BAR = 2_000.0
_ANSWERS_BAR = 5_000.0
_RATE = _ANSWERS_BAR / 2
_P99_BAR = 5.0


def _until_answering(gateway: LarsGateway) -> None:
    def answers() -> bool:
        gateway.require_running()
        connection = HTTPConnection("127.0.0.1", gateway.port, timeout=5)
        try:
            connection.request("GET", "/v1/modules/1/1/host")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    until(answers, "the gateway to answer", 60)


def _with_cpu(gateway: LarsGateway, load: Callable[[], Any]) -> tuple[Any, float]:
    """What a load found, and the CPU seconds of the gateway meanwhile."""
    before = cpu_seconds(gateway.pid)
    return load(), cpu_seconds(gateway.pid) - before


def measure_http(agent: LarsAgent, gateway: LarsGateway, figure: Figure, small: bool) -> None:
    """One connection, one cycle after another: each a GET of a host and a POST of the report."""
    _until_answering(gateway)
    seconds = _SECONDS / 20 if small else _SECONDS

    def load(seconds: float) -> Any:
        return run_module("bench.load.gateway_http", str(gateway.port), str(seconds), deadline=seconds + 30)

    load(_WARM_UP)
    agent_before = cpu_seconds(agent.pid)
    found, cpu = _with_cpu(gateway, lambda: load(seconds))
    figure.measure("cycles", found["cycles"] / found["seconds"], "cycles/s", at_least=_CYCLES_BAR)
    figure.measure("CPU of the gateway", cpu / found["cycles"] * 1e6, "µs/cycle")
    figure.measure("CPU of the agent", (cpu_seconds(agent.pid) - agent_before) / found["cycles"] * 1e6, "µs/cycle")
    milliseconds = [sample * 1000 for sample in found["samples"]]
    figure.spread("a cycle", milliseconds, "ms", (0.5, 0.99, 1), {})
    figure.facts["connections"] = 1


def measure_dns(_agent: LarsAgent, gateway: LarsGateway, figure: Figure, small: bool) -> None:
    """A of one module from one socket: as fast as it goes, and at half of the bar."""
    _until_answering(gateway)
    seconds = _SECONDS / 20 if small else _SECONDS

    def load(seconds: float, rate: float) -> Any:
        arguments = [str(gateway.dns_port), str(seconds), str(rate)]
        return run_module("bench.load.gateway_dns", *arguments, deadline=seconds + 30)

    load(_WARM_UP, 0)
    found, cpu = _with_cpu(gateway, lambda: load(seconds, 0))
    figure.measure("answers", found["answers"] / found["seconds"], "answers/s", at_least=_ANSWERS_BAR)
    figure.measure("CPU of the gateway", cpu / found["answers"] * 1e6, "µs/answer")
    figure.facts["lost, as fast as it goes"] = found["lost"]
    found = load(seconds, _RATE)
    milliseconds = [sample * 1000 for sample in found["samples"]]
    figure.spread(f"an answer at {_RATE:g} /s", milliseconds, "ms", (0.5, 0.99, 1), {0.99: _P99_BAR})
    figure.facts[f"lost, at {_RATE:g} /s"] = found["lost"]
