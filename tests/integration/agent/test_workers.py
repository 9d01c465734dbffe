"""workers = 3: a process a shard, supervised; the same answers, one scrape."""

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.errors import LarsError
from lars.route import ModuleId, parse_host
from lars.saved_routes import encode_routes, routes_path, save_routes
from tests.integration.fleet import StartService
from tests.integration.processes import ReservedPort, TwistdService, free_udp_base
from tests.integration.waiting import until

MODULES = [ModuleId(1, cmdid) for cmdid in (1, 2, 3)]  # one for each shard
A = parse_host("127.0.0.1:9001")


class Workers:
    """An agent of three workers with saved routes, and nothing to link to."""

    def __init__(self, start_service: StartService, folder: Path, metrics: int) -> None:
        for module in MODULES:
            shard = sum(module) % 3
            save_routes(routes_path(str(folder / "state"), shard), encode_routes({module: [A]}))
        self.port = free_udp_base(3)
        self.metrics = f"http://127.0.0.1:{metrics}"
        self.agent: TwistdService = start_service(
            "lars-agent",
            "--workers=3",
            f"--listen=127.0.0.1:{self.port}",
            "--dns=127.0.0.1:1",
            "--reporter=127.0.0.1:1",
            f"--state-dir={folder / 'state'}",
            f"--metrics=tcp:{metrics}:interface=127.0.0.1",
        )
        self.client = LarsClient(f"127.0.0.1:{self.port}", timeout=0.1, cache=False, state_dir="")

    def answers(self, module: ModuleId) -> bool:
        try:
            return self.client.get_host(*module).address == A
        except LarsError:
            return False

    async def all_answer(self, reactor: Any, deadline: float = 10.0) -> None:
        await until(reactor, lambda: all(map(self.answers, MODULES)), "all shards to answer", deadline)

    def pids(self) -> dict[str, int]:
        """The workers' process ids by the shard that each is."""
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and f"\nPPid:\t{self.agent.pid}\n" in (entry / "status").read_text():
                    environ = (entry / "environ").read_bytes().split(b"\0")
                    shard = next(item.decode() for item in environ if item.startswith(b"LARS_AGENT_WORKER="))
                    found[shard.partition("=")[2]] = int(entry.name)
            except OSError:
                continue
        return found

    async def get(self, path: str) -> str:
        def fetch() -> str:
            with urllib.request.urlopen(self.metrics + path, timeout=5) as answer:
                return str(answer.read().decode())

        return await deferToThread(fetch)


@pytest.fixture
def workers(start_service: StartService, tmp_path: Path) -> Iterator[Workers]:
    with ReservedPort() as port:
        workers = Workers(start_service, tmp_path, port.number)
        yield workers
        workers.client.close()


async def test_each_shard_is_a_process_and_one_scrape_shows_all(reactor: Any, workers: Workers) -> None:
    await workers.all_answer(reactor)
    assert sorted(workers.pids()) == ["0", "1", "2"]

    async def told() -> bool:
        text = await workers.get("/metrics")
        return all(f'lars_agent_modules{{shard="{shard}"}} 1.0' in text for shard in range(3))

    await until(reactor, told, "all workers in one scrape")
    assert await workers.get("/readyz")
    await workers.agent.stopped()
    assert workers.pids() == {}


async def test_killed_worker_is_back_within_two_seconds_and_the_others_answer_meanwhile(
    reactor: Any, workers: Workers
) -> None:
    await workers.all_answer(reactor)
    await workers.agent.says("lars-agent answers on", times=3)
    before = workers.pids()
    os.kill(before["2"], signal.SIGKILL)
    assert workers.answers(MODULES[1])
    assert workers.answers(MODULES[2])
    await until(reactor, lambda: workers.answers(MODULES[0]), "the worker of shard 2 to be back", 2.5)
    after = workers.pids()
    assert (after["0"], after["1"]) == (before["0"], before["1"])
    assert after["2"] != before["2"]


async def test_workers_end_with_the_process_that_started_them(reactor: Any, workers: Workers) -> None:
    await workers.all_answer(reactor)
    pids = list(workers.pids().values())
    workers.agent.kill()
    await until(reactor, lambda: not any(map(_runs, pids)), lambda: f"the workers {pids} to end")


def _runs(pid: int) -> bool:
    """Whether a process is there, and is more than the entry of one that nobody has waited for."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


async def test_other_number_of_workers_is_refused(start_service: StartService) -> None:
    agent = start_service("lars-agent", "--workers=2")
    assert await agent.ended() == 1
    assert "option --workers: '2' is not a number of workers" in agent.log()
