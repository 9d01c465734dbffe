"""lars-agent as one Twisted service: three shards, two links, and the timers that do everything but answer."""

import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial

from twisted.internet.defer import maybeDeferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from lars import __version__
from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory, sliced
from lars.agent.health.checker import HealthChecker
from lars.agent.health.checks import HealthChecks
from lars.agent.health.log import HealthLog
from lars.agent.health.probes import probe
from lars.agent.links.credentials import Credentials
from lars.agent.links.dns_link import DnsLink
from lars.agent.links.outbox import Outbox
from lars.agent.links.report_link import ReportLink
from lars.agent.metrics import AgentMetrics
from lars.agent.module import Module
from lars.agent.module_policies import ModulePolicies, client_may_pick
from lars.agent.route_files import RouteFiles
from lars.agent.settings import SHARDS, AgentSettings
from lars.agent.state_log import StateLog
from lars.agent.udp_port import RECEIVE_BUFFER, UdpPort, udp_port
from lars.agent.udp_protocol import GuardedShardProtocol, ShardProtocol
from lars.agent.views import Views
from lars.metrics.certificates import CertificateMetrics
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.module_settings import Value
from lars.networks import ANY, is_loopback
from lars.route import HostAddress, ModuleId, Steering, format_ip, shard_of
from lars.runtime.admission import Admission
from lars.runtime.gil_and_gc import freeze_loaded_objects, tune_gil_and_gc
from lars.runtime.periodic import Periodic
from lars.runtime.reactor import IReactor
from lars.runtime.reloading import Reloading
from lars.runtime.service import AsyncService
from lars.runtime.tls import TlsFiles, tls_of
from lars.runtime.token_file import TokenFile
from lars.wire.lars_pb2 import AgentFacts

_log = Logger()

SLICE_MODULES, SLICE_HOSTS = 50, 500
"""Modules, and hosts of these, that a timer walks over in one turn of the reactor: business processes wait for as
long."""

MAX_HOSTNAME = 255
"""Characters of the name of this machine that are reported."""

LAST_REPORTS = 2.0
"""Seconds that a stopping agent waits for its last reports to be acknowledged."""


class AgentService(AsyncService):
    """Answers business processes on the UDP ports of some shards, or of all.

    Args:
        settings: what the agent is configured to do.
        reactor: the reactor, whose clock everything runs on but reports.
        wall_clock: gives Unix seconds, for reports.
        shards: the numbers of the shards, 0 to 2.
    """

    name = "lars-agent"

    def __init__(
        self,
        settings: AgentSettings,
        reactor: IReactor,
        wall_clock: Callable[[], float] = time.time,
        shards: Iterable[int] = range(SHARDS),
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._now: Callable[[], float] = reactor.seconds
        self._state_log = StateLog(reactor.seconds)
        self._rng = random.Random()  # one for all modules: it takes 2.5 kB
        self._policies = ModulePolicies(settings, self._rng, self._say)
        self.outbox = Outbox(boot=random.SystemRandom().getrandbits(63) or 1)
        interval = settings.heartbeat_interval
        tls = tls_of(TlsFiles(settings.tls_cert, settings.tls_key, settings.tls_ca), reactor, wall_clock)
        credentials = Credentials(TokenFile(settings.token_file) if settings.token_file else None, tls)
        self._reloading = Reloading(reactor, credentials.reloads)
        self.dns = DnsLink(reactor, settings.dns, self._take_route, self._modules_in_use, interval, credentials)
        self.reporter = ReportLink(
            reactor, settings.reporter, self.outbox, settings.caller, wall_clock, interval, credentials
        )
        self._views = Views(self._facts, settings.report_interval)
        self._hostname = socket.gethostname()
        self._differences = settings.differences
        self._started_at = reactor.seconds()
        self._directories = {
            number: Directory(self._policies.new, self.dns.ask, configure=self._configure) for number in shards
        }
        health = HealthChecks(
            settings.check_rate * len(self._directories) / SHARDS,
            self._settings_of,
            HealthLog(reactor.seconds),
            self._rng,
        )
        for directory in self._directories.values():
            directory.add_listener(health)
        self._health = HealthChecker(health, partial(probe, reactor), reactor)
        self._codecs = {
            number: DatagramCodec(directory, settings.state_dir) for number, directory in self._directories.items()
        }
        self._files = RouteFiles(settings.state_dir, self._directories, reactor)
        self._ports: list[UdpPort] = []
        self._admission = Admission(self.name, reactor, settings.allow, and_this_machine=True)
        registry = new_registry(self.name)
        registry.register(
            AgentMetrics(
                list(self._directories.values()),
                list(self._codecs.values()),
                self._ports,
                self._admission,
                self.dns,
                self.reporter,
                health,
                self._now,
            )
        )
        registry.register(CertificateMetrics(tls))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self._periodic = [
            Periodic("the agent's timers", 1.0, self._tend, reactor),
            Periodic("asking for routes", 0.1, self.dns.ask_some, reactor),
            Periodic("reporting calls", settings.report_interval, self._report, reactor),
            Periodic("heartbeats", interval / 10, self._watch_links, reactor),
            Periodic("sending reports", 1.0, self.reporter.tick, reactor),
            Periodic("saving routes", 3.0, self._files.save_changed, reactor),
        ]

    def _configure(self, module: Module, now: float) -> None:
        """Has a module go on by the settings that its route carries."""
        settings = module.effective = self._policies.settings_of(module.id, module.settings)
        module.use_policy(self._policies.changed(module.policy, settings), client_may_pick(settings), now)

    def _settings_of(self, key: ModuleId) -> Mapping[str, Value]:
        """All settings of a module that is known: the same object until they change."""
        module = self._directories[shard_of(key, SHARDS)].modules.get(key)
        return (module.effective if module is not None else None) or self._policies.settings_of(key, "")

    def _say(self, fault: str) -> None:
        _log.warn("{fault}", fault=fault)

    async def start(self) -> None:
        tune_gil_and_gc()
        if self._settings.classic_key:
            _log.info(
                "[loadbalance] {key} is set, which only the policy classic has: modules get classic; "
                "set policy in [balance] to choose another",
                key=self._settings.classic_key,
            )
        if self._settings.without_effect:
            _log.warn(
                "[loadbalance] {keys}: no effect on modules with the policy {policy}, which are all but those that "
                "[balance] modules lists; only classic has these settings",
                keys=", ".join(self._settings.without_effect),
                policy=self._settings.policy,
            )
        await self._metrics.start()
        self._files.load(self._now())
        freeze_loaded_objects()
        self._open_ports()
        self.dns.service.startService()
        self.reporter.service.startService()
        self._reloading.start()
        for periodic in self._periodic:
            periodic.start()
        _log.info(
            "lars-agent answers on {ip}, UDP {ports}",
            ip=format_ip(self._settings.listen.ip),
            ports=", ".join(str(port.number) for port in self._ports),
        )
        if not is_loopback(ip := format_ip(self._settings.listen.ip)):
            self._admission.is_open_on(ip)

    def _not_ready(self) -> str:
        """Why business processes should not rely on this agent yet; empty when they can."""
        if not self._ports:
            return "the UDP ports are not open"
        modules = (module for directory in self._directories.values() for module in directory.modules.values())
        if not self.dns.up and not any(module.hosts for module in modules):
            return "there is no link to lars-dns, and no route is known"
        return ""

    def _protocol(self, codec: DatagramCodec) -> ShardProtocol:
        if self._settings.allow == ANY:
            return ShardProtocol(codec, self._now)
        return GuardedShardProtocol(codec, self._now, self._admission)

    def _open_ports(self) -> None:
        for number, codec in self._codecs.items():
            place = HostAddress(self._settings.listen.ip, self._settings.listen.port + number)
            self._ports.append(udp_port(self.reactor, place, self._protocol(codec)))
        for port in self._ports:
            port.startListening()
        if self._ports[0].receive_buffer < RECEIVE_BUFFER:
            _log.warn(
                "UDP receive buffer: asked for {asked} bytes and got {got}; under bursts datagrams may be dropped "
                "(raise net.core.rmem_max)",
                asked=RECEIVE_BUFFER,
                got=self._ports[0].receive_buffer,
            )

    def _take_route(
        self, key: ModuleId, hosts: list[HostAddress], fresh_ms: int, steering: Steering, version: int
    ) -> None:
        now = self._now()
        fresh = fresh_ms / 1000 if fresh_ms else self._settings.update_timeout
        number = shard_of(key, SHARDS)
        directory = self._directories.get(number)
        if directory is not None and directory.take_route(
            key, hosts, now + fresh, fresh_ms > 0, now, steering, version
        ):
            self._files.changed(number)

    def _modules_in_use(self) -> list[ModuleId]:
        return [key for directory in self._directories.values() for key in directory.modules]

    async def _tend(self) -> None:
        """Runs the policies' timers, asks again for what is old, forgets what nobody uses."""
        async for directory, modules in self._slices():
            for key, change in directory.sweep(modules, self._now()):
                self._state_log.changed(key, change)
            self._health.look(modules)
        if self.dns.up:
            self._tend_routes(self._now(), self.dns.heard_at)
        self.dns.drop_if_silent()

    def _tend_routes(self, now: float, heard_at: float | None) -> None:
        """Asks again for what is old; forgets what nobody has used for long when lars-dns was last heard.

        What a lars-dns that has hung since then could not give back is kept.
        """
        for number, directory in self._directories.items():
            self.dns.ask_all(directory.take_due(now, self._settings.update_timeout))
            if heard_at is None:
                continue
            for module in directory.forget_unused(heard_at, self._settings.module_ttl):
                self._files.changed(number)
                self._views.forgotten(module)
                if module.subscribed:
                    self.dns.unsubscribe(module.id)

    def _watch_links(self) -> None:
        self.dns.watch()
        self.reporter.watch()

    async def _slices(self) -> AsyncIterator[tuple[Directory, list[Module]]]:
        """All modules, some in each turn of the reactor, with the directory that they are in."""
        for directory in self._directories.values():
            for modules in sliced(directory.modules.values(), SLICE_MODULES, SLICE_HOSTS):
                yield directory, modules
                await deferLater(self.reactor, 0)

    async def _report(self) -> None:
        async for _directory, modules in self._slices():
            self._gather(modules)
            self._send_views(modules)
        self.reporter.tick()

    def _send_views(self, modules: Iterable[Module]) -> None:
        """Sends lars-reporter how this agent sees some modules, as far as it does not know yet."""
        if connection := self.reporter.views_to:
            for views in self._views.due(modules, connection, self._now()):
                self.reporter.send_views(views)

    def _facts(self, now: float) -> AgentFacts:
        """Who this agent is."""
        return AgentFacts(
            hostname=self._hostname[:MAX_HOSTNAME],
            version=__version__,
            zone=self._settings.zone,
            age_s=int(now - self._started_at),
            dns=self.dns.server,
            reporter=self.reporter.server,
            settings=self._differences,
        )

    def _gather(self, modules: Iterable[Module], all_of_them: bool = False) -> None:
        for module in modules:
            results = module.take_results(self._now(), all_of_them or not self.outbox.has_unsent(module.id))
            if results is not None:
                self.outbox.add(module.id, results)

    async def stop(self) -> None:
        for port in self._ports:
            await port.stopListening()
        await self._reloading.stop()
        for ended in [periodic.stop() for periodic in self._periodic]:
            await ended
        await self._health.stop()
        for directory in self._directories.values():
            self._gather(directory.modules.values(), all_of_them=True)
        self.reporter.tick()
        deadline = self._now() + LAST_REPORTS
        while self.reporter.up and self.outbox.waiting and self._now() < deadline:
            await deferLater(self.reactor, 0.02)
        await maybeDeferred(self.dns.service.stopService)
        await maybeDeferred(self.reporter.service.stopService)
        await self._files.save_changed()
        self._files.close()
        await self._metrics.stop()
