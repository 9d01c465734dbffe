"""One real run: hosts, an agent or Envoy, and callers, all on 127.0.0.1; they end with the run."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench.balance.real.clients import CPP_DRIVER, MODULE
from bench.balance.real.envoy import Envoy
from bench.balance.real.events import SLOWNESS, Event, Plan
from bench.balance.scenario import MEAN
from bench.balance.simulation import Result
from bench.errors import BenchError
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort, takes_connections
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from bench.services.lars_agent import LarsAgent
from lars.client.address import agent_address
from lars.client.agent_inspect import list_hosts
from lars.route import HostAddress, parse_ip

LOOK = 0.05
"""Seconds between two looks at what is ejected."""
PATIENCE = 30.0
"""Seconds for a process to start, or for a caller to end after its last call."""

LOCALHOST = parse_ip("127.0.0.1")

Changes = list[tuple[float, int, bool]]


class RealRun:
    """Runs a plan once. Times in the result are seconds from its start, as in the simulator's.

    Args:
        plan: the events.
        client: one of CLIENTS.
        policy: the agent's.
        callers: processes that make the calls, all together at the plan's rate.
        seed: of their random numbers.
    """

    def __init__(self, plan: Plan, client: str, policy: str, callers: int, seed: int) -> None:
        self._plan, self._client, self._policy, self._callers, self._seed = plan, client, policy, callers, seed
        self._ejected: set[int] = set()
        self._changes: Changes = []

    def run(self) -> Result:
        """Starts everything, lets it happen, and ends everything."""
        if self._client == "cpp" and not CPP_DRIVER.exists():
            raise BenchError("the C++ client is not built: run `make test-clients`")
        began = time.perf_counter()
        with ExitStack() as stack:
            folder = Path(tempfile.mkdtemp(prefix="lars-bench-balance-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            self._ports = [stack.enter_context(ReservedPort()).number for _ in range(self._plan.fleet.hosts)]
            self._hosts = [stack.enter_context(self._host(number, folder)) for number in range(len(self._ports))]
            for number in range(len(self._ports)):
                self._start_host(number)
            address, self._look = self._balancer(stack)
            self._start = time.monotonic()
            callers = [stack.enter_context(self._caller(number, address, folder)) for number in range(self._callers)]
            for caller in callers:
                caller.start()
            self._let_happen()
            rows = [row for caller in callers for row in _rows(caller)]
        return self._result(rows, time.perf_counter() - began)

    def _host(self, number: int, folder: Path) -> ChildProcess:
        fleet = self._plan.fleet
        numbers = (self._ports[number], fleet.workers, MEAN, SLOWNESS, self._seed * 1000 + number)
        return _python(f"host-{number}", "host_process", folder, numbers)

    def _start_host(self, number: int) -> None:
        host, port = self._hosts[number], self._ports[number]
        host.start()

        def ready() -> bool:
            host.require_running()
            return takes_connections(port)

        until(ready, f"{host.name} to listen", PATIENCE)

    def _balancer(self, stack: ExitStack) -> tuple[str, Callable[[], set[int]]]:
        """Where callers ask, and what tells the ports of ejected hosts."""
        if self._client == "envoy":
            envoy = stack.enter_context(Envoy(self._ports))
            envoy.launch()
            return envoy.address, envoy.ejected
        route = {MODULE: [HostAddress(LOCALHOST, port) for port in self._ports]}
        agent = stack.enter_context(LarsAgent.launched(route, "--policy", self._policy))
        address = agent_address(agent.address)

        def ejected() -> set[int]:
            return {host.address.port for host in list_hosts(address, PATIENCE) if host.overloaded}

        return agent.address, ejected

    def _caller(self, number: int, address: str, folder: Path) -> ChildProcess:
        rate, end = self._plan.fleet.rate / self._callers, self._start + self._plan.end
        words = (self._client, address, f"{rate:g}", f"{end:.6f}", self._seed * 1000 + number)
        return _python(f"caller-{number}", "caller_process", folder, words)

    def _let_happen(self) -> None:
        for event in self._plan.events():
            self._watch(event.begin)
            self._begin(event)
            self._watch(event.end)
            self._end(event)
        self._watch(self._plan.end)

    def _watch(self, moment: float) -> None:
        """Waits until then, and notes which hosts are ejected and restored meanwhile."""
        while (now := time.monotonic() - self._start) < moment:
            ejected = {self._ports.index(port) for port in self._look()}
            self._changes += [(now, host, host in ejected) for host in ejected ^ self._ejected]
            self._ejected = ejected
            time.sleep(LOOK)

    def _begin(self, event: Event) -> None:
        host = self._hosts[event.host]
        match event.name:
            case "killed":
                host.kill()
            case "stopped":
                host.pause()
            case "slow":
                os.kill(host.pid, signal.SIGUSR1)

    def _end(self, event: Event) -> None:
        host = self._hosts[event.host]
        match event.name:
            case "killed":
                self._start_host(event.host)
            case "stopped":
                host.resume()
            case "slow":
                os.kill(host.pid, signal.SIGUSR2)

    def _result(self, rows: Sequence[Sequence[float]], wall: float) -> Result:
        """The calls as columns, in the order of time."""
        numbers = {port: number for number, port in enumerate(self._ports)}
        made = sorted(
            (when - self._start, numbers.get(int(port), -1), outcome, cost) for when, port, outcome, cost in rows
        )
        times, hosts, outcomes, costs = (np.array(column) for column in zip(*made, strict=True))
        whole = np.int64
        return Result(
            times, np.zeros(len(made), whole), hosts.astype(whole), outcomes.astype(whole), costs, [self._changes], wall
        )


def _python(name: str, module: str, folder: Path, words: Sequence[object]) -> ChildProcess:
    """A program of this folder in a process of its own."""
    command = [sys.executable, "-m", f"bench.balance.real.{module}", *map(str, words)]
    return ChildProcess(name, command, folder, checkout_environ())


def _rows(caller: ChildProcess) -> list[list[float]]:
    """What a caller prints at its end."""
    until(lambda: caller.status is not None, f"{caller.name} to end", PATIENCE)
    if caller.status:
        raise BenchError(f"{caller.name} failed: {caller.last_lines()}")
    rows: list[list[float]] = json.loads(caller.log().splitlines()[-1])
    return rows
