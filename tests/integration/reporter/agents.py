"""Agents that know the sums of what they report: the outbox and link of lars-agent, in the test's reactor."""

import random
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from twisted.internet.task import LoopingCall

from lars.agent.links.outbox import Outbox
from lars.agent.links.report_link import ReportLink
from lars.agent.settings import Server
from lars.route import HostAddress, ModuleId
from tests.integration.waiting import until

HostOfModule = tuple[int, int, int, int]
"""modid, cmdid, ip, port."""

INTERVAL = 0.02
"""Seconds between two reports of an agent."""


class Agent:
    """One run of one agent, whose clock is `skew` seconds ahead.

    `counted` are its calls: successes under False, failures under True.
    """

    def __init__(self, reactor: Any, ports: Sequence[int], caller: int, skew: float = 0.0) -> None:
        self.outbox = Outbox(secrets.randbits(64) or 1)
        self.counted: Counter[tuple[HostOfModule, bool]] = Counter()
        self._reactor = reactor
        servers = tuple(Server("127.0.0.1", port) for port in ports)
        self.link = ReportLink(reactor, servers, self.outbox, caller, lambda: time.time() + skew)
        self.link.service.startService()
        self._loop = LoopingCall(self._report_some)
        self._loop.clock = reactor
        self._ticking = LoopingCall(self.link.tick)
        self._ticking.clock = reactor
        self._ticking.start(INTERVAL)

    def report(self, module: ModuleId, host: HostAddress, succ: int, err: int, overload: bool = False) -> None:
        """Reports on one host, now or as soon as there is a reporter."""
        self.outbox.add(module, {host: (succ, err, overload)})
        self.counted[(*module, *host), False] += succ
        self.counted[(*module, *host), True] += err

    def keep_reporting(self) -> None:
        """Reports on hosts at random until `rest`."""
        self._loop.start(INTERVAL)

    def _report_some(self) -> None:
        module = ModuleId(1, random.randint(1, 3))
        for _ in range(random.randint(1, 4)):
            host = HostAddress(0x0A000000 + random.randint(1, 6), 80)
            self.report(module, host, random.randint(0, 1000), random.randint(0, 20), random.random() < 0.1)

    def rest(self) -> None:
        """Reports nothing new."""
        if self._loop.running:
            self._loop.stop()

    async def is_acknowledged(self, deadline: float = 15.0) -> None:
        """Waits until everything is acknowledged."""
        self.rest()
        await until(
            self._reactor,
            lambda: not self.outbox.waiting,
            lambda: f"{self.outbox.waiting} reports to be acknowledged",
            deadline,
        )

    async def close(self) -> None:
        self.rest()
        self._ticking.stop()
        await self.link.service.stopService()


class Agents:
    """Several agents; `counted` are the calls of all of them."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self.all: list[Agent] = []

    def start(self, *ports: int, count: int = 1, skew: float = 0.0) -> list[Agent]:
        """New agents, each with a caller and a boot of its own, that report to the first of these that answers."""
        first = len(self.all) + 1
        started = [Agent(self._reactor, ports, (172 << 24) + first + n, skew) for n in range(count)]
        self.all += started
        return started

    @property
    def counted(self) -> dict[HostOfModule, tuple[int, int]]:
        """Successes and failures by host."""
        sums: Counter[tuple[HostOfModule, bool]] = Counter()
        for agent in self.all:
            sums.update(agent.counted)
        hosts = {host for host, _ in sums}
        return {h: (sums[h, False], sums[h, True]) for h in hosts if sums[h, False] or sums[h, True]}

    async def close(self) -> None:
        for agent in self.all:
            await agent.close()
