"""What the pages and the API share: stores, clock, settings, and the parts of one service."""

from collections.abc import Callable
from dataclasses import dataclass

from lars.db.accounts import AccountStore
from lars.db.agents import AgentStore
from lars.db.alarms import AlarmStore
from lars.db.audit import AuditStore
from lars.db.callers import CallerStore
from lars.db.calls import CallStore
from lars.db.database import Database
from lars.db.fleet import FleetStore
from lars.db.held_routes import HeldRouteStore
from lars.db.host_states import HostStateStore
from lars.db.machines import MachineStore
from lars.db.modules import ModuleStore
from lars.db.routes import RouteStore
from lars.runtime.reactor import IReactor
from lars.web.auth.access import Access
from lars.web.auth.login_throttle import LoginThrottle
from lars.web.auth.passwords import Passwords
from lars.web.auth.tokens import Tokens
from lars.web.edits import Edits
from lars.web.live.cached_counts import CachedCounts
from lars.web.live.live import Live
from lars.web.registry.registrar import Registrar
from lars.web.settings import WebSettings
from lars.web.views import Views


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables of the database, by what they are for."""

    accounts: AccountStore
    agents: AgentStore
    alarms: AlarmStore
    audit: AuditStore
    callers: CallerStore
    calls: CallStore
    fleet: FleetStore
    held_routes: HeldRouteStore
    host_states: HostStateStore
    machines: MachineStore
    modules: ModuleStore
    routes: RouteStore

    @classmethod
    def of(cls, database: Database) -> "Stores":
        """All of them, on one database."""
        return cls(
            AccountStore(database),
            AgentStore(database),
            AlarmStore(database),
            AuditStore(database),
            CallerStore(database),
            CallStore(database),
            FleetStore(database),
            HeldRouteStore(database),
            HostStateStore(database),
            MachineStore(database),
            ModuleStore(database),
            RouteStore(database),
        )


@dataclass(frozen=True, slots=True)
class Console:
    """One lars-web. `wall_clock` gives Unix seconds."""

    settings: WebSettings
    reactor: IReactor
    wall_clock: Callable[[], float]
    stores: Stores
    views: Views
    access: Access
    login_throttle: LoginThrottle
    passwords: Passwords
    registrar: Registrar
    live: Live
    module_counts: CachedCounts[str, int]
    """How many modules a search finds."""
    tokens: Tokens
    edits: Edits
