"""Closed-loop load on an agent: threads and processes that repeat get_host and report, like business processes."""

import logging
import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from lars.client import AgentUnavailable, LarsClient, NoSuchModule, Overloaded
from lars.client.address import AgentAddress
from lars.errors import LarsError
from lars.route import ModuleId

SAMPLES = 200_000
"""Latencies that one process keeps; beyond that, it keeps every second, fourth … one."""

_OUTCOMES = ((Overloaded, "overloaded"), (NoSuchModule, "no hosts"), (AgentUnavailable, "no answer"))


@dataclass(slots=True)
class LoadResult:
    """What the load measured.

    Attributes:
        seconds: how long it ran.
        cycles: get_host and report, completed.
        refused: get_hosts without a host, by reason.
        latencies: of get_host, in seconds, sorted.
    """

    seconds: float = 0.0
    cycles: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Cycles a second."""
        return self.cycles / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency in µs that this share (0 to 1) of the get_hosts did not exceed; 0 if there are none."""
        if not self.latencies:
            return 0.0
        return self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))] * 1e6


def modules_of(threads: int) -> list[ModuleId]:
    """The modules of the C++ tool: thread t, from 0, asks for module (t + 1, 1)."""
    return [ModuleId(thread + 1, 1) for thread in range(threads)]


class _Worker:
    """The threads of one process."""

    def __init__(self, agent: AgentAddress, modules: Sequence[ModuleId], cache: bool) -> None:
        logging.getLogger("lars.client").addHandler(logging.NullHandler())  # refusals are counted, not logged
        self._client = LarsClient(agent, timeout=1.0, cache=cache, state_dir="")
        self._modules = modules
        self._stop = threading.Event()
        self._loads = [LoadResult() for _ in modules]
        self._threads = [
            threading.Thread(target=self._run, args=(module, load), daemon=True)
            for module, load in zip(modules, self._loads, strict=True)
        ]

    def cycles(self) -> int:
        return sum(load.cycles for load in self._loads)

    def begin(self) -> None:
        for module in dict.fromkeys(self._modules):
            with suppress(NoSuchModule):
                self._client.register(*module)
        for thread in self._threads:
            thread.start()

    def end(self) -> LoadResult:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._client.close()
        total = LoadResult(cycles=self.cycles())
        for load in self._loads:
            total.refused += load.refused
            total.latencies += load.latencies
        return total

    def _run(self, module: ModuleId, load: LoadResult) -> None:
        get_host, report, clock = self._client.get_host, self._client.report, time.perf_counter
        each, most, asked = 1, SAMPLES // len(self._modules), 0
        while not self._stop.is_set():
            began = clock()
            try:
                host = get_host(*module)
            except LarsError as error:
                load.refused[next(text for kind, text in _OUTCOMES if isinstance(error, kind))] += 1
                continue
            asked += 1
            if not asked % each:
                load.latencies.append(clock() - began)
                if len(load.latencies) >= most:
                    del load.latencies[::2]
                    each *= 2
            report(host)
            load.cycles += 1


def run_load(
    agent: AgentAddress,
    modules: Sequence[ModuleId],
    processes: int,
    seconds: float,
    cache: bool,
    progress: Callable[[float, int], None],
) -> LoadResult:
    """Runs a thread for each module in every process; calls `progress` once a second, with the seconds and cycles.

    Raises AgentUnavailable if the agent does not answer at the start.
    """
    context = multiprocessing.get_context("fork")  # the clients are made in the children
    done = context.Array("Q", processes)
    pipes, children = [], []
    for number in range(processes):
        reader, writer = context.Pipe(duplex=False)
        child = context.Process(target=_child, args=(agent, modules, seconds, cache, done, number, writer), daemon=True)
        child.start()
        writer.close()
        pipes.append(reader)
        children.append(child)
    began = time.monotonic()
    for _ in _seconds(seconds):
        if not any(child.is_alive() for child in children):
            break
        progress(time.monotonic() - began, sum(done[:]))
    results = [pipe.recv() for pipe in pipes]
    for child in children:
        child.join()
    total = LoadResult()
    for result in results:
        if isinstance(result, LarsError):
            raise result
        total.cycles += result.cycles
        total.refused += result.refused
        total.latencies += result.latencies
        total.seconds = max(total.seconds, result.seconds)
    total.latencies.sort()
    return total


def _seconds(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(1.0, left))
        yield


def _child(
    agent: AgentAddress,
    modules: Sequence[ModuleId],
    seconds: float,
    cache: bool,
    done: Any,
    number: int,
    writer: Connection,
) -> None:
    try:
        worker = _Worker(agent, modules, cache)
        worker.begin()
    except LarsError as error:
        writer.send(error)
        return
    began = time.monotonic()
    end = began + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(0.2, left))
        done[number] = worker.cycles()
    load = worker.end()
    load.seconds = time.monotonic() - began
    writer.send(load)
