"""The settings of lars-dns."""

from dataclasses import dataclass

from lars.db.settings import database_setting
from lars.settings import endpoint, integer, legacy_key, legacy_listen, ratio, seconds, setting


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """What lars-dns can be told; conf/lars-dns.conf has every key."""

    db: str = database_setting()
    listen: str = setting(
        "tcp:7778:interface=127.0.0.1",
        "dns",
        endpoint,
        "Where agents connect, as a Twisted endpoint string",
        legacy=legacy_listen(7778),
    )
    max_connections: int = setting(
        20_000,
        "dns",
        integer(1, 1_000_000),
        "Connections served at once; more are closed and counted",
        legacy=legacy_key("reactor", "maxConn"),
    )
    poll_interval: float = setting(1.0, "dns", seconds, "Seconds between looks at the route version")
    reload_interval: float = setting(10.0, "dns", seconds, "Seconds between checks of all routes, version or not")
    protect_ratio: float = setting(
        0.5, "dns", ratio, "A reload that empties more than this share of the modules is held and checked again"
    )
    protect_time: float = setting(10.0, "dns", seconds, "Seconds that such a reload is held")
    fresh_time: float = setting(
        600.0, "dns", seconds, "Seconds for which agents need not ask for a route again, since changes are pushed"
    )
