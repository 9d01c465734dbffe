"""lars-agent as one Twisted service: three shards, two links, and the timers that do everything but answer."""

import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from inspect import isawaitable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger

from lars.agent.balancer import StateChange
from lars.agent.dns_link import DnsLink
from lars.agent.module import Module
from lars.agent.numbers import AgentNumbers
from lars.agent.outbox import Outbox
from lars.agent.port import RECEIVE_BUFFER, ShardPort
from lars.agent.report_link import ReportLink
from lars.agent.route_files import RouteFiles
from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.shard import Shard
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.route import HostAddress, ModuleId, format_ip, shard_of
from lars.runtime.gil_and_gc import freeze_loaded_objects, tune_gil_and_gc
from lars.runtime.service import AsyncService

_log = Logger()

SLICE = 50
"""Modules tended in one turn of the reactor: business processes wait meanwhile."""

LAST_REPORTS = 2.0
"""Seconds that a stopping agent waits for its last reports to be acknowledged."""


class AgentService(AsyncService):
    """Answers business processes on the UDP ports of some shards, or of all.

    `wall_clock` gives Unix seconds, for reports; everything else runs on the reactor's clock.
    """

    name = "lars-agent"

    def __init__(
        self,
        settings: AgentSettings,
        reactor: Any,
        wall_clock: Callable[[], float] = time.time,
        shards: Iterable[int] = range(SHARDS),
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._now: Callable[[], float] = reactor.seconds
        self.outbox = Outbox(boot=random.SystemRandom().getrandbits(63) or 1)
        self.dns = DnsLink(reactor, settings.dns, self._take_route, self._modules_in_use)
        self.reporter = ReportLink(reactor, settings.reporter, self.outbox, settings.caller, wall_clock)
        self._numbered = {number: Shard(settings.balancer, self.dns.ask) for number in shards}
        self.shards = list(self._numbered.values())
        self._files = RouteFiles(settings.state_dir, self._numbered, reactor)
        self._ports: list[ShardPort] = []
        registry = new_registry(self.name)
        registry.register(AgentNumbers(self.shards, self._ports, self.dns, self.reporter, self._now))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self._loops: list[tuple[LoopingCall, Deferred[LoopingCall]]] = []

    async def start(self) -> None:
        tune_gil_and_gc()
        await self._metrics.start()
        self._files.load(self._now())
        freeze_loaded_objects()
        self._open_ports()
        self.dns.service.startService()
        self.reporter.service.startService()
        self._every(1.0, self._tend)
        self._every(0.1, self.dns.ask_some)
        self._every(self._settings.report_interval, self._report)
        self._every(1.0, self.reporter.tick)
        self._every(3.0, self._files.save_changed)
        _log.info(
            "lars-agent answers on {ip}, UDP {ports}",
            ip=format_ip(self._settings.listen.ip),
            ports=", ".join(str(port.number) for port in self._ports),
        )

    def _not_ready(self) -> str:
        """Why business processes should not rely on this agent yet; empty when they can."""
        if not self._ports:
            return "the UDP ports are not open"
        if not self.dns.up and not any(shard.modules for shard in self.shards):
            return "there is no link to lars-dns, and no route is known"
        return ""

    def _open_ports(self) -> None:
        for number, shard in self._numbered.items():
            place = HostAddress(self._settings.listen.ip, self._settings.listen.port + number)
            self._ports.append(ShardPort(self.reactor, place, shard, self._now))
        for port in self._ports:
            port.start()
        if self._ports[0].receive_buffer < RECEIVE_BUFFER:
            _log.warn(
                "UDP receive buffer: asked for {asked} bytes and got {got}; under bursts datagrams may be dropped "
                "(raise net.core.rmem_max)",
                asked=RECEIVE_BUFFER,
                got=self._ports[0].receive_buffer,
            )

    def _every(self, interval: float, function: Callable[[], object]) -> None:
        loop = LoopingCall(lambda: Deferred.fromCoroutine(self._guarded(function)))
        loop.clock = self.reactor
        self._loops.append((loop, loop.start(interval, now=False)))

    async def _guarded(self, function: Callable[[], object]) -> None:
        try:
            result = function()
            if isawaitable(result):
                await result
        except Exception:
            _log.failure("a timer of lars-agent failed; it goes on")

    def _take_route(self, key: ModuleId, hosts: list[HostAddress], fresh_ms: int) -> None:
        now = self._now()
        fresh = fresh_ms / 1000 if fresh_ms else self._settings.update_timeout
        number = shard_of(key, SHARDS)
        shard = self._numbered.get(number)
        module = shard.take_route(key, hosts, now + fresh, now) if shard is not None else None
        if module is not None:
            module.subscribed = fresh_ms > 0
            self._files.changed(number)

    def _modules_in_use(self) -> list[ModuleId]:
        return [key for shard in self.shards for key in shard.modules]

    async def _tend(self) -> None:
        """Lets silence heal, asks again for what is old, forgets what nobody wants."""
        async for shard, modules in self._slices():
            for key, change in shard.sweep(modules, self._now()):
                _tell(key, change)
        now = self._now()
        for number, shard in self._numbered.items():
            if self.dns.up:
                old = shard.to_refresh(now, self._settings.update_timeout)
                for key in old:
                    shard.modules[key].asked_at = now
                self.dns.ask_all(old)
            for module in shard.forget_unused(now, self._settings.module_ttl):
                self._files.changed(number)
                if module.subscribed:
                    self.dns.unsubscribe(module.module)
        self.dns.drop_if_silent()

    async def _slices(self) -> AsyncIterator[tuple[Shard, list[Module]]]:
        """All modules, SLICE in each turn of the reactor, with the shard that they are in."""
        for shard in self.shards:
            modules = list(shard.modules.values())
            for start in range(0, len(modules), SLICE):
                yield shard, modules[start : start + SLICE]
                await deferLater(self.reactor, 0)

    async def _report(self) -> None:
        async for _shard, modules in self._slices():
            self._gather(modules)
        self.reporter.tick()

    def _gather(self, modules: Iterable[Module], all_of_them: bool = False) -> None:
        for module in modules:
            results = module.take_results(all_of_them or not self.outbox.has_unsent(module.module))
            if results is not None:
                self.outbox.add(module.module, results)

    async def stop(self) -> None:
        for port in self._ports:
            port.stop()
        for loop, ended in self._loops:
            if loop.running:
                loop.stop()
            await ended
        for shard in self.shards:
            self._gather(shard.modules.values(), all_of_them=True)
        self.reporter.tick()
        deadline = self._now() + LAST_REPORTS
        while self.reporter.up and self.outbox.waiting and self._now() < deadline:
            await deferLater(self.reactor, 0.02)
        await maybeDeferred(self.dns.service.stopService)
        await maybeDeferred(self.reporter.service.stopService)
        await self._files.save_changed()
        await self._metrics.stop()


def _tell(module: ModuleId, change: StateChange) -> None:
    _log.info(
        "{module} {host} {what} ({reason}): vsucc {vsucc} verr {verr}, window {rsucc} ok {rerr} failed, "
        "in a row {contin_succ} ok {contin_err} failed",
        module=module,
        host=change.address,
        what="set aside" if change.overloaded else "taken back",
        reason=change.reason,
        vsucc=change.vsucc,
        verr=change.verr,
        rsucc=change.rsucc,
        rerr=change.rerr,
        contin_succ=change.contin_succ,
        contin_err=change.contin_err,
    )
