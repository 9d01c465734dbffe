"""lars-web as one Twisted service: pages, API, and hosts that register themselves."""

import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.web.server import Request

from lars.db.clock import DatabaseClock
from lars.db.database import Database
from lars.db.engine import DatabaseError
from lars.db.leases import LeaseStore
from lars.metrics.endpoint import MetricsEndpoint
from lars.metrics.registry import new_registry
from lars.runtime.listening import listen, stop_listening
from lars.runtime.reactor import IReactor
from lars.runtime.service import AsyncService
from lars.runtime.turns import at_most
from lars.web.api.dispatch import Api
from lars.web.auth.access import Access, bearer, recognize
from lars.web.auth.last_uses import LastUses
from lars.web.auth.login_throttle import LoginThrottle
from lars.web.auth.passwords import Passwords
from lars.web.auth.secrets import new_secret
from lars.web.auth.tokens import Tokens
from lars.web.console import Console, Stores
from lars.web.drains import DrainTimer
from lars.web.durations import RequestDurations
from lars.web.edits import Edits
from lars.web.front import Front
from lars.web.live.cached_counts import CachedCounts
from lars.web.live.live import Live
from lars.web.metrics import WebMetrics
from lars.web.pages.account_pages import AccountPages
from lars.web.pages.agent_pages import AgentPages
from lars.web.pages.audit_pages import AuditPages, VersionPages
from lars.web.pages.host_list_pages import HostListPages
from lars.web.pages.host_pages import HostPages
from lars.web.pages.machine_pages import MachinePages
from lars.web.pages.module_pages import ModulePages
from lars.web.pages.overview_pages import OverviewPages
from lars.web.pages.settings_pages import SettingsPages
from lars.web.pages.sign_in_pages import SignInPages
from lars.web.pages.transfer_pages import TransferPages
from lars.web.pages.user_pages import UserPages
from lars.web.registry.registrar import Registrar
from lars.web.root import Root
from lars.web.settings import WebSettings
from lars.web.site import WebSite
from lars.web.static_files import StaticFiles
from lars.web.views import Views

_log = Logger()

DRAIN = 2.0
"""Seconds for the last registrations to be written at the end; those that wait longer get no answer."""


class WebService(AsyncService):
    """Serves the console and its API. `wall_clock` gives Unix seconds."""

    name = "lars-web"

    def __init__(
        self,
        settings: WebSettings,
        database: Database,
        reactor: IReactor,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(reactor)
        self._settings = settings
        self._database = database
        self._clock = DatabaseClock(database, reactor, wall_clock)
        files, stores, now = StaticFiles(), Stores.of(database), self._clock.now
        self.registrar = Registrar(LeaseStore(database), settings, reactor, self._clock)
        self._drains = DrainTimer(stores.routes, reactor)
        self._last_uses = LastUses(stores.accounts, reactor, now)
        access = Access(stores.accounts, settings, now, self._last_uses)
        self.console = Console(
            settings=settings,
            reactor=reactor,
            wall_clock=now,
            stores=stores,
            views=Views(files.address),
            access=access,
            login_throttle=LoginThrottle(),
            passwords=Passwords(reactor),
            registrar=self.registrar,
            live=Live(
                stores.calls, stores.fleet, stores.host_states, settings.live_interval, reactor, now, access.signed_in
            ),
            module_counts=CachedCounts(stores.modules.count, reactor.seconds),
            tokens=Tokens(stores.accounts, reactor.seconds, now, self._last_uses),
            edits=Edits(stores.modules, stores.routes, stores.machines, stores.agents, self.registrar),
        )
        self._sign_in = SignInPages(self.console)
        overview = OverviewPages(self.console)
        branches = {
            "sign-in": self._sign_in.app,
            "sign-out": self._sign_in.app,
            "setup": self._sign_in.app,
            "modules": ModulePages(self.console).app,
            "hosts": HostPages(self.console).app,
            "host-list": HostListPages(self.console).app,
            "machines": MachinePages(self.console).app,
            "settings": SettingsPages(self.console).app,
            "transfer": TransferPages(self.console).app,
            "agents": AgentPages(self.console).app,
            "audit": AuditPages(self.console).app,
            "versions": VersionPages(self.console).app,
            "account": AccountPages(self.console).app,
            "users": UserPages(self.console).app,
            "api": Api(self.console).app,
        }
        registry = new_registry("lars-web")
        self.site = WebSite(
            reactor,
            Root(files, branches, overview.app),
            settings.max_connections,
            settings.max_strangers,
            self._is_known,
            self.registrar.unreachable,
            Front(settings.url, settings.trust_proxy, settings.trust_user_header),
            RequestDurations(registry, branches).answered,
        )
        registry.register(WebMetrics(self.site, self.console.live, self.registrar, self._drains, self._clock))
        self._metrics = MetricsEndpoint(reactor, settings.metrics, registry, self._not_ready)
        self.port: IListeningPort | None = None

    async def start(self) -> None:
        await self._metrics.start()
        self.console.passwords.start()
        self._clock.start()
        self.port = await listen(self.reactor, self._settings.listen, self.site, self._settings.max_connections)
        self.registrar.start()
        self._drains.start()
        self._last_uses.start()
        self.console.live.start()
        _log.info("lars-web answers on {place}: {url}", place=self._settings.listen, url=self.url)
        await self._print_link()

    @property
    def url(self) -> str:
        """The address for browsers."""
        if self._settings.url or self.port is None:
            return self._settings.url
        where: Any = self.port.getHost()
        host = "127.0.0.1" if where.host in ("0.0.0.0", "::") else where.host
        scheme = "https" if self._settings.listen.startswith("ssl:") else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{where.port}"

    async def _print_link(self) -> None:
        """Prints the one-time link, if nobody can sign in yet."""
        try:
            if await self.console.access.is_set_up():
                return
        except DatabaseError as error:
            _log.warn("{error}; sign-in waits for it", error=str(error))
        self._sign_in.setup_secret = new_secret()
        link = f"{self.url}/setup/{self._sign_in.setup_secret}"
        _log.info("nobody can sign in yet: set the first admin's password, once, at {link}", link=link)

    async def _is_known(self, http_request: Request) -> bool:
        """Whether the head of a request shows a session or a token. Raises DatabaseError."""
        secret = bearer(http_request)
        if secret is not None and await self.console.tokens.of(secret) is not None:
            recognize(http_request)
            return True
        return await self.console.access.user_of(http_request) is not None

    def _not_ready(self) -> str:
        return "not listening yet" if self.port is None else self.registrar.fault

    async def stop(self) -> None:
        await stop_listening(self.port)
        parts = [Deferred.fromCoroutine(part.stop()) for part in (self.console.live, self.registrar, self._clock)]
        ended = gatherResults([*parts, self._drains.stop(), self._last_uses.stop()])
        await at_most(self.reactor, DRAIN, ended)
        self._database.close()  # ends what still waits for it
        await ended
        await self.site.drop_all()
        self.console.passwords.stop()
        await self._metrics.stop()
