"""The settings of lars-gateway."""

from dataclasses import dataclass

from lars.client.address import DEFAULT_AGENT, AgentAddress, parse_agent
from lars.db.settings import absolute_url
from lars.gateway.dns.zone import parse_domain
from lars.host_names import parse_place
from lars.metrics.settings import metrics_setting
from lars.route import HostAddress, parse_host
from lars.settings import absolute_path, endpoint, integer, log_format_setting, seconds, setting


def place_or_off(text: str) -> HostAddress | None:
    """ "127.0.0.1:7753" or "localhost:7753"; None for an empty text."""
    return parse_place(text) if text.strip() else None


def url_or_none(text: str) -> str:
    """A database URL, with an SQLite path made absolute, or nothing."""
    return absolute_url(text) if text.strip() else ""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The settings of lars-gateway, as conf/lars-gateway.conf describes them."""

    agent: AgentAddress = setting(
        parse_agent(DEFAULT_AGENT),
        "gateway",
        parse_agent,
        "The agent that is asked: address and the first of its three ports",
        environ="LARS_AGENT",
    )
    timeout: float = setting(0.2, "gateway", seconds, "Seconds after which a silent agent counts as away")
    listen: str = setting(
        "tcp:7781:interface=127.0.0.1", "gateway", endpoint, "Where HTTP is served, as a Twisted endpoint string"
    )
    unix: str = setting("", "gateway", absolute_path, "A Unix socket where HTTP is served as well; empty: none")
    dns: HostAddress | None = setting(
        parse_host("127.0.0.1:7753"),
        "gateway",
        place_or_off,
        "Where DNS is served, over UDP and TCP: address and port; empty: nowhere",
    )
    domain: str = setting("lars.", "gateway", parse_domain, "The domain of the names, such as lars.example.org.")
    max_connections: int = setting(
        1000,
        "gateway",
        integer(1, 1_000_000),
        "Connections served at once, for HTTP and for DNS over TCP; more are closed and counted",
    )
    db: str = setting(
        "",
        "gateway",
        url_or_none,
        "The database with the names of modules, such as sqlite:///lars.db; empty: DNS finds modules by numbers alone",
        in_file=True,
    )
    metrics: str = metrics_setting("gateway")
    log_format: str = log_format_setting("gateway")
