"""Clients under load while their agent is killed and started again: no call fails or takes too long."""

import random
import threading
import time
from pathlib import Path
from typing import Any

from twisted.internet.threads import deferToThread

from lars.client import Host, LarsClient
from lars.route import ModuleId, parse_host
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.waiting import until

SECONDS = 60.0
TIMEOUT = 0.2
SLACK = 2.0
"""Seconds that a busy machine may add to a call."""


class Storm:
    """Threads that ask and report until told to end."""

    def __init__(self, client: LarsClient, threads: int) -> None:
        self._client = client
        self._ended = threading.Event()
        self.slowest = 0.0
        self.calls = 0
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                began = time.monotonic()
                host: Host = self._client.get_host(1, 1)
                self._client.report(host, int(random.random() < 0.02))
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.calls += 1
                time.sleep(0.001)
        except BaseException as error:
            self.errors.append(error)


async def test_no_call_fails_while_the_agent_is_killed_again_and_again(
    reactor: Any, start_service: StartService, tmp_path: Path
) -> None:
    hosts = [parse_host(f"127.0.0.1:{port}") for port in range(9001, 9006)]
    agent = LoneAgent(start_service, tmp_path, {ModuleId(1, 1): hosts})
    process = await agent.up()
    client = LarsClient(agent.address, timeout=TIMEOUT, cache_ttl=0.1, state_dir=agent.state_dir)
    storm = Storm(client, 8)
    storm.start()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            process.kill()
            await agent.up()
            await until(reactor, lambda: client.agent_alive, "the client to see that the agent is back", 10)
    finally:
        await deferToThread(storm.end)
        client.close()
        agent.close()
    assert storm.errors == []
    assert storm.calls > 1000
    assert storm.slowest < TIMEOUT + SLACK
