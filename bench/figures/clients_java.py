"""Figure `java`: what get_host and a successful report cost the Java client, cached and asking."""

import json
import os
import subprocess
from pathlib import Path
from statistics import median

from bench.errors import BenchError
from bench.figure import Figure
from bench.services.lars_agent import LarsAgent

_JAVA = Path(__file__).resolve().parents[2] / "clients" / "java"
_PROTOBUF = os.environ.get("PROTOBUF_JAR", "/usr/share/java/protobuf.jar")

_ROUNDS = 11
_CACHED_CYCLES = 500_000
_ASKING_CYCLES = 3_000
_THREADS = 8

_BAR = 0.5


def measure_java(agent: LarsAgent, figure: Figure, small: bool) -> None:
    """The client's own program makes the cycles, with costs, after ten rounds that warm up the JVM."""
    _build()
    share = 20 if small else 1
    cached, asking = _CACHED_CYCLES // share, _ASKING_CYCLES // share
    figure.facts["rounds"] = f"{_ROUNDS} of {cached} cycles, of {asking} where the agent is asked"
    one = _microseconds(agent, "cached", cached, 1)
    figure.measure("cached get_host and report", one, "µs/cycle", at_most=_BAR)
    figure.measure(f"cached, {_THREADS} threads", _microseconds(agent, "cached", cached, _THREADS), "µs/cycle")
    figure.measure("asking", _microseconds(agent, "asking", asking, 1), "µs/cycle")


def _microseconds(agent: LarsAgent, kind: str, cycles: int, threads: int) -> float:
    """Of a cycle, wherever the threads make it."""
    classes = f"{_JAVA / 'target' / 'test-classes'}:{_JAVA / 'target' / 'lars-client.jar'}:{_PROTOBUF}"
    command = ["java", "-cp", classes, "lars.client.Cycles", agent.address, kind, str(cycles), str(_ROUNDS)]
    found: list[float] = json.loads(_run([*command, str(threads)]))
    return median(found)


def _build() -> None:
    _run(["make", "--quiet", "-C", str(_JAVA), "all"])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    except FileNotFoundError:
        raise BenchError(f"{command[0]} is missing: install default-jdk-headless libprotobuf-java make") from None
    if done.returncode:
        raise BenchError(f"{command[0]} failed: {(done.stderr or done.stdout)[-400:]}")
    return done.stdout
