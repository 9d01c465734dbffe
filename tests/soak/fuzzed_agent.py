"""A lars-agent process that is sent rubbish: what it must go on answering, its memory and its numbers."""

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.threads import deferToThread

from bench.processes.agent_state import SHARDS, save_agent_routes
from bench.processes.http import get
from bench.processes.process_tree import memory_mb, process_tree
from lars.client import LarsClient
from lars.errors import LarsError
from lars.route import HostAddress, ModuleId
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.waiting import until

WATCHED = [ModuleId(2_000_000_000, 1_000_000_000 + n) for n in range(SHARDS)]
"""A module of each shard that no rubbish names; nothing reports on its hosts, which classic picks in strict turns."""

HOSTS = [HostAddress(0x0A000001 + n, 80) for n in range(3)]

SPOILT = [ModuleId(modid, cmdid) for modid in (1, 300, 70_000) for cmdid in range(SHARDS)]
"""Modules that rubbish is about, as many of each shard."""


class FuzzedAgent:
    """One lars-agent with saved routes of all these modules, on ports of its own."""

    def __init__(self, start_service: Callable[..., TwistdService], folder: Path, *options: str) -> None:
        save_agent_routes(str(folder / "state"), dict.fromkeys(WATCHED + SPOILT, HOSTS))
        self.port = free_udp_base(SHARDS)
        self._metrics = ReservedPort()
        self.service = start_service(
            "lars-agent",
            f"--listen=127.0.0.1:{self.port}",
            f"--metrics={self._metrics.endpoint}",
            f"--state-dir={folder / 'state'}",
            "--report-interval=0.5",
            f"--module-policies={','.join(f'{modid}.{cmdid}:classic' for modid, cmdid in WATCHED)}",
            *options,
        )
        self.client = LarsClient(f"127.0.0.1:{self.port}", timeout=5, cache=False)  # the agent takes the turns
        self.asked = 0
        """get_hosts sent by `check`."""
        self._turns: dict[ModuleId, Iterator[HostAddress]] = {}

    async def up(self, reactor: Any) -> None:
        """Waits until it answers, after a start."""
        self._turns.clear()  # they begin at a random host
        await until(reactor, self._answers, lambda: f"the agent to answer: {self.service.log()[-2000:]}", 20)

    def _answers(self) -> bool:
        try:
            with LarsClient(f"127.0.0.1:{self.port}", timeout=0.1) as client:
                return all(len(client.get_route(*module)) == len(HOSTS) for module in WATCHED)
        except LarsError:
            return False

    def check(self, modules: Iterable[ModuleId] = WATCHED) -> None:
        """A get_host for each of the modules is answered with the host whose turn it is."""
        for module in modules:
            self.asked += 1
            address = self.client.get_host(*module).address
            if module not in self._turns:
                first = HOSTS.index(address)
                self._turns[module] = cycle(HOSTS[first:] + HOSTS[:first])
            assert address == next(self._turns[module]), self.service.log()[-2000:]

    def pids(self) -> set[int]:
        """Its process and those that it has started."""
        return process_tree(self.service.pid)

    def memory_mb(self) -> dict[int, float]:
        """Resident memory of each of its processes in MiB."""
        return {pid: memory_mb(pid)[0] for pid in self.pids()}

    async def numbers(self) -> dict[str, float]:
        """Its metrics of Lars, by name, or name and value of the one label; those of several shards added up."""
        numbers: dict[str, float] = {}
        for family in text_string_to_metric_families((await deferToThread(get, self._metrics.number, "/metrics"))[1]):
            for sample in family.samples:
                labels = [value for name, value in sample.labels.items() if name != "shard"]
                name = "|".join([sample.name, *labels])
                numbers[name] = numbers.get(name, 0) + sample.value
        return {name: value for name, value in numbers.items() if name.startswith("lars_agent_")}

    def close(self) -> None:
        self.client.close()
        self._metrics.close()
