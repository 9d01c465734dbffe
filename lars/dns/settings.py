"""The settings of lars-dns."""

from dataclasses import dataclass

from lars.db.settings import database_setting
from lars.metrics.settings import metrics_setting
from lars.networks import Networks
from lars.runtime.admission_settings import allow_setting, tls_setting, token_file_setting, without_token_setting
from lars.settings import (
    absolute_path,
    endpoint,
    integer,
    legacy_key,
    legacy_listen,
    log_format_setting,
    number,
    ratio,
    seconds,
    setting,
)


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """The settings of lars-dns; conf/lars-dns.conf has every key."""

    db: str = database_setting()
    listen: str = setting(
        "tcp:7778:interface=127.0.0.1",
        "dns",
        endpoint,
        "Where agents connect, as a Twisted endpoint string",
        legacy=legacy_listen(7778),
    )
    allow: Networks = allow_setting("dns", "agents connect")
    token_file: str = token_file_setting(
        "dns", "File with the tokens, one a line, of which agents must present one; empty: none is needed"
    )
    allow_without_token: Networks = without_token_setting("dns")
    tls_cert: str = tls_setting("dns", "the certificate of this server and its chain")
    tls_key: str = tls_setting("dns", "the key of tls_cert")
    tls_ca: str = tls_setting("dns", "the CA that agents' certificates must be signed by")
    max_connections: int = setting(
        20_000,
        "dns",
        integer(1, 1_000_000),
        "Connections served at once; more are closed and counted",
        legacy=legacy_key("reactor", "maxConn"),
    )
    max_per_address: int = setting(
        10_000,
        "dns",
        integer(1, 1_000_000),
        "Connections of one address, or of an IPv6 /64; more are closed and counted",
    )
    max_subscriptions: int = setting(
        50_000,
        "dns",
        integer(1, 100_000_000),
        "Modules that one connection subscribes to; of more, changes are not pushed",
    )
    max_total_subscriptions: int = setting(
        10_000_000,
        "dns",
        integer(1, 1_000_000_000),
        "Pairs of connection and module, of all connections; of more, changes are not pushed",
    )
    poll_interval: float = setting(1.0, "dns", seconds, "Seconds between looks at the route version")
    reload_interval: float = setting(10.0, "dns", seconds, "Seconds between checks of all routes, version or not")
    protect_ratio: float = setting(
        0.5, "dns", ratio, "A reload that empties more than this share of the modules is held and checked again"
    )
    protect_time: float = setting(10.0, "dns", seconds, "Seconds that such a reload is held")
    idle_timeout: float = setting(
        3600.0, "dns", seconds, "Seconds after which a connection that has never sent anything is dropped"
    )
    stall_timeout: float = setting(60.0, "dns", seconds, "Seconds after which an agent that does not read is dropped")
    save: str = setting(
        "", "dns", absolute_path, "File that keeps the routes for a start without the database; empty: none"
    )
    change_age: float = setting(604800.0, "dns", seconds, "Seconds after which rows of RouteChange are deleted")
    metrics: str = metrics_setting("dns")
    log_format: str = log_format_setting("dns")
    fresh_time: float = setting(
        600.0,
        "dns",
        number(0.01, 4_294_967),
        "Seconds for which agents need not ask for a route again, since changes are pushed",
    )
