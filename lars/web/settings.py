"""The settings of lars-web."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from lars.db.settings import database_setting
from lars.errors import SettingsError
from lars.metrics.settings import metrics_setting
from lars.settings import endpoint, integer, legacy_listen, log_format_setting, ratio, seconds, setting, site_url

Network = IPv4Network | IPv6Network


def networks(text: str) -> tuple[Network, ...]:
    """ "10.0.0.0/8, 127.0.0.1, fd00::/8": networks or addresses, by commas."""
    found = []
    for item in text.split(",") if text.strip() else ():
        try:
            found.append(ip_network(item.strip()))
        except ValueError as error:
            raise SettingsError(f"{item.strip()!r} is no network ({error}): write one such as 10.0.0.0/8") from None
    return tuple(found)


def header_name(text: str) -> str:
    """The name of a field of a request's head, such as X-Forwarded-User; empty stays empty."""
    name = text.strip()
    if name and not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise SettingsError(f"{text!r} is no name of a header: write one such as X-Forwarded-User")
    return name


REFUSE, VIEWER = "refuse", "viewer"
"""What becomes of a user whom a proxy names and nobody has added."""


def new_user_rule(text: str) -> str:
    """REFUSE or VIEWER."""
    if text.strip() not in (REFUSE, VIEWER):
        raise SettingsError(f"{text!r} is neither {REFUSE} nor {VIEWER}")
    return text.strip()


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The settings of lars-web; conf/lars-web.conf has every key (docs/design/settings.md, sources)."""

    db: str = database_setting()
    listen: str = setting(
        "tcp:7780:interface=127.0.0.1",
        "web",
        endpoint,
        "Where browsers and programs connect, as a Twisted endpoint string; TLS: "
        "ssl:7780:interface=0.0.0.0:privateKey=KEY.pem:certKey=CERT.pem",
        legacy=legacy_listen(7780),
    )
    url: str = setting(
        "",
        "web",
        site_url,
        "Where browsers find it, such as https://lars.example or https://example/lars behind a proxy; empty: as listen",
    )
    trust_proxy: tuple[Network, ...] = setting(
        (),
        "web",
        networks,
        "Networks of the proxies whose Forwarded, X-Forwarded-For, -Proto and -Prefix are believed, by commas",
    )
    trust_user_header: str = setting(
        "",
        "web",
        header_name,
        "The header in which the proxies of trust_proxy name a user whom they have signed in, such as "
        "X-Forwarded-User; of anybody else it is refused. Empty: none",
    )
    new_header_users: str = setting(
        REFUSE,
        "web",
        new_user_rule,
        "Users whom that header names and nobody has added: refuse, or viewer, which adds them with that role",
    )
    max_connections: int = setting(
        2000, "web", integer(1, 1_000_000), "Connections served at once; more are closed and counted"
    )
    max_strangers: int = setting(
        200,
        "web",
        integer(1, 1_000_000),
        "Of these, connections of one address that have shown neither a session nor a token; the longest idle makes "
        "room for a new one",
    )
    session_time: float = setting(43_200.0, "web", seconds, "Seconds after which users sign in again")
    live_interval: float = setting(1.0, "web", seconds, "Seconds between reads of the database while pages are open")
    preserve_ratio: float = setting(
        0.5,
        "web",
        ratio,
        "The share of a module's hosts that may leave at once by not renewing; the others are kept and an alarm raised",
    )
    preserve_time: float = setting(60.0, "web", seconds, "Seconds that count as at once")
    metrics: str = metrics_setting("web")
    log_format: str = log_format_setting("web")

    def __post_init__(self) -> None:
        if self.trust_user_header and not self.trust_proxy:
            raise SettingsError("[web] trust_user_header: no proxy is trusted to send it: set trust_proxy too")
