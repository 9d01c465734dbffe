"""What the pages and the API share: stores, clock, settings, and the parts that live as long as the service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lars.db.accounts import AccountStore
from lars.db.audit import AuditStore
from lars.db.calls import CallStore
from lars.db.database import Database
from lars.db.modules import ModuleStore
from lars.db.reports import ReportStore
from lars.db.routes import RouteStore
from lars.web.auth.login_throttle import Attempts
from lars.web.auth.passwords import Passwords
from lars.web.auth.tokens import Tokens
from lars.web.live.cached_counts import Counts
from lars.web.live.live import Live
from lars.web.registry.registrar import Registrar
from lars.web.settings import WebSettings
from lars.web.static_files import StaticFiles
from lars.web.views import Views


@dataclass(frozen=True, slots=True)
class Stores:
    """What is in the database."""

    accounts: AccountStore
    audit: AuditStore
    calls: CallStore
    modules: ModuleStore
    reports: ReportStore
    routes: RouteStore

    @classmethod
    def of(cls, database: Database) -> "Stores":
        return cls(
            AccountStore(database),
            AuditStore(database),
            CallStore(database),
            ModuleStore(database),
            ReportStore(database),
            RouteStore(database),
        )


@dataclass(frozen=True, slots=True)
class Console:
    """One lars-web. `wall_clock` gives Unix seconds."""

    settings: WebSettings
    reactor: Any
    wall_clock: Callable[[], float]
    stores: Stores
    views: Views
    files: StaticFiles
    attempts: Attempts
    passwords: Passwords
    registrar: Registrar
    live: Live
    counts: Counts[str, int]
    """How many modules a search finds."""
    tokens: Tokens
