"""An agent that is stopped in order answers what has come, and refuses the rest: no caller waits for ever."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from lars.route import ModuleId, parse_host
from tests.integration.agent.patient_callers import PatientCallers
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.waiting import until

MODULES = [ModuleId(1, cmdid) for cmdid in (1, 2, 3)]  # one for each shard
HOST = parse_host("10.0.0.1:80")


def children(pid: int) -> list[int]:
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


@pytest.mark.parametrize("workers", [1, 3])
async def test_restart_under_load_leaves_no_caller_waiting(
    reactor: Any, start_service: StartService, tmp_path: Path, workers: int
) -> None:
    agent = LoneAgent(start_service, tmp_path, {module: [HOST] for module in MODULES}, f"--workers={workers}")
    process = agent.start()
    await process.says("lars-agent answers on", times=workers)
    with PatientCallers(agent.port, MODULES, each=60) as callers:
        await until(reactor, lambda: callers.answers > callers.count, "the callers to be answered")
        shards = [process.pid] if workers == 1 else children(process.pid)
        for pid in shards:
            os.kill(pid, signal.SIGSTOP)
        await until(reactor, lambda: callers.waiting(0.2) == callers.count, "all to wait for a stopped agent")
        process.terminate()
        for pid in shards:
            os.kill(pid, signal.SIGCONT)
        await process.ended()
        agent.start()
        before = callers.answers
        await until(reactor, lambda: callers.answers > before + callers.count, "the new agent to answer")
        await until(reactor, lambda: callers.waiting(1) == 0, lambda: f"{callers.waiting(1)} callers", 5)
    agent.close()
