"""The settings of lars-agent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lars.balancing.classic import ClassicSettings
from lars.errors import SettingsError
from lars.metrics.settings import metrics_setting
from lars.route import MAX_PORT, HostAddress, parse_host, parse_ip, parse_port
from lars.settings import Legacy, absolute_path, integer, ratio, seconds, setting

SHARDS = 3


class Server(NamedTuple):
    """Where a service listens: name or address, and TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


Servers = tuple[Server, ...]
"""Servers to try in turn."""


def agent_place(text: str) -> HostAddress:
    """ "127.0.0.1:8888": the address and the first of the shards' ports."""
    place = parse_host(text)
    if place.port + SHARDS - 1 > MAX_PORT:
        raise SettingsError(f"port {place.port} leaves no room for {SHARDS} shards below {MAX_PORT + 1}")
    return place


def servers(text: str) -> Servers:
    """ "10.0.0.1:7778, dns2:7778": host:port, by commas."""
    found = []
    for item in text.split(","):
        host, colon, port = item.strip().rpartition(":")
        if not colon or not host or any(c.isspace() for c in host):
            raise SettingsError(f"{item.strip()!r} is no server: write HOST:PORT, several separated by commas")
        found.append(Server(host, parse_port(port)))
    return tuple(found)


def worker_count(text: str) -> int:
    """1 or 3."""
    if text not in ("1", str(SHARDS)):
        raise SettingsError(f"{text!r} is not a number of workers: use 1, or {SHARDS} for a process a shard")
    return int(text)


def caller_ip(text: str) -> int:
    """An IPv4 address as a number; empty means that of the connection to the reporter."""
    return parse_ip(text) if text else 0


def _legacy_server(section: str, port: int) -> tuple[Legacy, ...]:
    def build(texts: Mapping[str, str]) -> str:
        return f"{texts.get('ip', '127.0.0.1')}:{texts.get('port', str(port))}"

    return (Legacy(((section, "ip"), (section, "port")), build),)


def _balance(default: float, parse: Any, help: str) -> Any:
    return setting(default, "loadbalance", parse, help)


_COUNT = integer(0, 1_000_000)
_DEFAULTS = ClassicSettings()


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The settings of lars-agent; conf/lars-agent.conf has every key."""

    listen: HostAddress = setting(
        parse_host("127.0.0.1:8888"),
        "agent",
        agent_place,
        "Where business processes ask: address and the first of three UDP ports",
        environ="LARS_AGENT",
    )
    dns: Servers = setting(
        (Server("127.0.0.1", 7778),),
        "dnsserver",
        servers,
        "lars-dns servers, HOST:PORT by commas; tried in turn",
        key="servers",
        legacy=_legacy_server("dnsserver", 7778),
    )
    reporter: Servers = setting(
        (Server("127.0.0.1", 7779),),
        "reporter",
        servers,
        "lars-reporter servers, HOST:PORT by commas; tried in turn",
        key="servers",
        legacy=_legacy_server("reporter", 7779),
    )
    caller: int = setting(
        0, "agent", caller_ip, "This machine's IPv4 address in reports; 0: that of the link to the reporter"
    )
    state_dir: str = setting(
        "/var/lib/lars", "agent", absolute_path, "Where routes are saved for a start without dns; empty: nowhere"
    )
    report_interval: float = setting(5.0, "agent", seconds, "Seconds between reports to lars-reporter")
    module_ttl: float = setting(3600.0, "agent", seconds, "Seconds after which a module nobody asks for is forgotten")
    workers: int = setting(1, "agent", worker_count, "Processes: 1 for all shards together, 3 for one a shard")
    metrics: str = metrics_setting("agent")
    update_timeout: float = _balance(15.0, seconds, "Seconds after which a route of a C++ dns is asked for again")
    probe_num: int = _balance(_DEFAULTS.probe_num, _COUNT, "Requests between two probes of an overloaded host")
    init_succ_cnt: int = _balance(_DEFAULTS.init_succ_cnt, _COUNT, "Virtual successes of a host that becomes idle")
    init_err_cnt: int = _balance(_DEFAULTS.init_err_cnt, _COUNT, "Virtual failures of a host that becomes overloaded")
    err_rate: float = _balance(_DEFAULTS.err_rate, ratio, "Failure rate above which an idle host becomes overloaded")
    succ_rate: float = _balance(_DEFAULTS.succ_rate, ratio, "Success rate above which an overloaded host becomes idle")
    contin_err_limit: int = _balance(
        _DEFAULTS.contin_err_limit, integer(1, 10**9), "Failures in a row that make a host overloaded"
    )
    contin_succ_limit: int = _balance(
        _DEFAULTS.contin_succ_limit, integer(1, 10**9), "Successes in a row that make a host idle"
    )
    window_err_rate: float = _balance(
        _DEFAULTS.window_err_rate, ratio, "Failure rate of a whole window that makes a host overloaded"
    )
    idle_timeout: float = _balance(_DEFAULTS.idle_timeout, seconds, "Seconds of an idle host's window")
    overload_timeout: float = _balance(
        _DEFAULTS.overload_timeout, seconds, "Seconds after which an overloaded host becomes idle"
    )

    @property
    def classic(self) -> ClassicSettings:
        """The numbers of the classic rules."""
        return ClassicSettings(**{name: getattr(self, name) for name in ClassicSettings.__dataclass_fields__})
