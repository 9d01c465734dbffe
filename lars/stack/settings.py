"""The settings of the stack: those that differ from the settings of each service by itself."""

from dataclasses import dataclass

from lars.agent.settings import agent_place
from lars.db.settings import database_setting
from lars.dns.settings import DnsSettings
from lars.gateway.settings import GatewaySettings, place_or_off
from lars.metrics.settings import endpoint_or_off
from lars.reporter.settings import ReporterSettings
from lars.route import HostAddress, parse_host
from lars.settings import absolute_path, endpoint, log_format_setting, setting
from lars.web.settings import WebSettings


@dataclass(frozen=True, slots=True)
class StackSettings:
    """The settings of `twistd lars`; the conf file of each service has all its others."""

    db: str = database_setting()
    dns_listen: str = setting(DnsSettings().listen, "stack", endpoint, "Where lars-dns listens")
    reporter_listen: str = setting(ReporterSettings().listen, "stack", endpoint, "Where lars-reporter listens")
    agent_listen: HostAddress = setting(
        parse_host("127.0.0.1:8888"),
        "stack",
        agent_place,
        "Where business processes ask: address and the first of three UDP ports",
        environ="LARS_AGENT",
    )
    web_listen: str = setting(WebSettings().listen, "stack", endpoint, "Where browsers connect")
    gateway_listen: str = setting(
        GatewaySettings().listen, "stack", endpoint_or_off, "Where the gateway serves HTTP; empty: there is no gateway"
    )
    gateway_dns: HostAddress | None = setting(
        GatewaySettings().dns, "stack", place_or_off, "Where the gateway serves DNS; empty: nowhere"
    )
    state_dir: str = setting("lars-state", "stack", absolute_path, "Where the agent saves routes")
    log_format: str = log_format_setting("stack")
    dns_config: str = setting("", "stack", absolute_path, "Conf file of lars-dns")
    reporter_config: str = setting("", "stack", absolute_path, "Conf file of lars-reporter")
    agent_config: str = setting("", "stack", absolute_path, "Conf file of lars-agent")
    web_config: str = setting("", "stack", absolute_path, "Conf file of lars-web")
    gateway_config: str = setting("", "stack", absolute_path, "Conf file of lars-gateway")
