"""The settings of lars-agent."""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv6Address
from typing import Any, NamedTuple

from lars.balancing.classic import ClassicSettings
from lars.balancing.policies import NAMES
from lars.errors import BadInput, InvalidRoute, SettingsError
from lars.host_names import parse_place
from lars.metrics.settings import metrics_setting
from lars.module_settings import Value, edited
from lars.networks import Networks
from lars.route import MAX_PORT, HostAddress, ModuleId, module_id, parse_host, parse_ip, parse_port
from lars.runtime.admission_settings import allow_setting, tls_setting, token_file_setting
from lars.settings import (
    Legacy,
    absolute_path,
    integer,
    log_format_setting,
    names_given,
    number,
    ratio,
    seconds,
    setting,
)

SHARDS = 3


class Server(NamedTuple):
    """Where a service listens: name or address, and TCP port. An IPv6 address is written in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Servers = tuple[Server, ...]
"""Servers to try in turn."""


def agent_place(text: str) -> HostAddress:
    """ "127.0.0.1:8888" or "localhost:8888": the address and the first of the shards' ports."""
    place = parse_place(text)
    if place.port + SHARDS - 1 > MAX_PORT:
        raise SettingsError(f"port {place.port} leaves no room for {SHARDS} shards below {MAX_PORT + 1}")
    return place


def servers(text: str) -> Servers:
    """ "10.0.0.1:7778, dns2:7778, [fd00::5]:7778": host:port, by commas."""
    found = []
    for item in text.split(","):
        host, colon, port = item.strip().rpartition(":")
        if not colon or not host or any(c.isspace() for c in host):
            raise SettingsError(f"{item.strip()!r} is no server: write HOST:PORT, several separated by commas")
        found.append(Server(_without_brackets(item.strip(), host), parse_port(port)))
    return tuple(found)


def _without_brackets(item: str, host: str) -> str:
    if host.startswith("[") and host.endswith("]"):
        try:
            IPv6Address(host[1:-1])
        except ValueError:
            raise SettingsError(f"{item!r} is no server: {host} is not an IPv6 address in brackets") from None
        return host[1:-1]
    if any(c in host for c in ":[]"):
        raise SettingsError(f"{item!r} is no server: write an IPv6 address in brackets, as in [fd00::5]:7778")
    return host


def worker_count(text: str) -> int:
    """1 or 3."""
    if text not in ("1", str(SHARDS)):
        raise SettingsError(f"{text!r} is not a number of workers: use 1, or {SHARDS} for a process a shard")
    return int(text)


class ModulePolicy(NamedTuple):
    """A module and the name of its policy."""

    module: ModuleId
    policy: str

    def __str__(self) -> str:
        return f"{self.module.modid}.{self.module.cmdid}:{self.policy}"


ModulePolicies = tuple[ModulePolicy, ...]
"""Modules with a policy of their own."""


def policy_name(text: str) -> str:
    """The name of a balancing policy."""
    if text not in NAMES:
        near = difflib.get_close_matches(text, NAMES, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise SettingsError(f"{text!r} is not a policy: use {', '.join(NAMES[:-1])} or {NAMES[-1]}{hint}")
    return text


def module_policies(text: str) -> ModulePolicies:
    """ "1.1:adaptive, 2.7:classic": MODID.CMDID:POLICY, by commas; empty means none."""
    found: dict[ModuleId, ModulePolicy] = {}
    for item in text.split(",") if text.strip() else ():
        ids, _colon, policy = item.strip().partition(":")
        module = _module(item.strip(), ids.strip(), "MODID.CMDID:POLICY, such as 1.1:adaptive")
        if module in found:
            raise SettingsError(f"module {module} appears twice: give it one policy")
        found[module] = ModulePolicy(module, policy_name(policy.strip()))
    return tuple(found.values())


def _module(item: str, ids: str, form: str) -> ModuleId:
    modid, _dot, cmdid = ids.partition(".")
    try:
        return module_id(int(modid), int(cmdid))
    except (ValueError, InvalidRoute):
        raise SettingsError(f"{item!r} does not begin with a module: write {form}") from None


class ModuleChoice(NamedTuple):
    """Settings of one module, or of all (None) that have none of their own."""

    module: ModuleId | None
    settings: tuple[tuple[str, Value], ...]

    def __str__(self) -> str:
        module = "*" if self.module is None else f"{self.module.modid}.{self.module.cmdid}"
        return " ".join([module, *(f"{name}={value}" for name, value in self.settings)])


ModuleChoices = tuple[ModuleChoice, ...]
"""What modules set in the agent's conf file."""

_SETTABLE = ("health_check.", "locality.", "panic")


def module_choices(text: str) -> ModuleChoices:
    """ "* health_check.when=always, 1.1 health_check.interval=2": MODID.CMDID or *, then NAME=VALUE; by commas."""
    found: dict[ModuleId | None, ModuleChoice] = {}
    for item in text.split(",") if text.strip() else ():
        ids, *edits = item.split() or [""]
        module = None if ids == "*" else _module(item.strip(), ids, "MODID.CMDID NAME=VALUE, such as 1.1 panic=false")
        if module in found:
            raise SettingsError(f"{ids} appears twice: give it one list of settings")
        for edit in edits:
            if not edit.startswith(_SETTABLE):
                raise SettingsError(f"{edit!r} is not set here: this key takes {', '.join(_SETTABLE)}")
        try:
            settings = edited({}, edits)
        except BadInput as error:
            raise SettingsError(f"{ids}: {error}") from None
        found[module] = ModuleChoice(module, tuple(settings.items()))
    return tuple(found.values())


def zone_name(text: str) -> str:
    """A zone: up to 64 of a-z, 0-9, dot and hyphen; empty for none."""
    if not re.fullmatch(r"[a-z0-9.-]{0,64}", text):
        raise SettingsError(f"{text!r} is not a zone: use up to 64 of a-z, 0-9, dot and hyphen")
    return text


def caller_ip(text: str) -> int:
    """An IPv4 address as a number; empty means that of the connection to the reporter."""
    return parse_ip(text) if text else 0


def _legacy_server(section: str, port: int) -> tuple[Legacy, ...]:
    def build(texts: Mapping[str, str]) -> str:
        host = texts.get("ip", "127.0.0.1")
        return f"[{host}]:{port_of(texts)}" if ":" in host and not host.startswith("[") else f"{host}:{port_of(texts)}"

    def port_of(texts: Mapping[str, str]) -> str:
        return texts.get("port", str(port))

    return (Legacy(((section, "ip"), (section, "port")), build),)


def _balance(default: float, parse: Any, help: str) -> Any:
    return setting(default, "loadbalance", parse, help)


_COUNT = integer(0, 1_000_000)
_DEFAULTS = ClassicSettings()

MAX_DIFFERENCES = 1_000
"""Characters of AgentSettings.differences."""

_SHOWN = {
    "module_policies": "modules",
    "module_settings": "settings",
    "check_rate": "check_rate",
    "update_timeout": "update_timeout",
    "module_ttl": "module_ttl",
    "report_interval": "report_interval",
}
"""The settings in AgentSettings.differences, with their keys in the conf file."""


def _as_text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"


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
    allow: Networks = allow_setting("agent", "processes ask and report, besides this machine")
    token_file: str = token_file_setting(
        "agent", "File with the token that is presented to lars-dns and lars-reporter; empty: none"
    )
    tls_cert: str = tls_setting("agent", "the certificate of this agent and its chain")
    tls_key: str = tls_setting("agent", "the key of tls_cert")
    tls_ca: str = tls_setting("agent", "the CA that certificates of lars-dns and lars-reporter must be signed by")
    dns: Servers = setting(
        (Server("127.0.0.1", 7778),),
        "dnsserver",
        servers,
        "lars-dns servers, HOST:PORT by commas, [::1]:7778 for IPv6; tried in turn",
        key="servers",
        legacy=_legacy_server("dnsserver", 7778),
    )
    reporter: Servers = setting(
        (Server("127.0.0.1", 7779),),
        "reporter",
        servers,
        "lars-reporter servers, HOST:PORT by commas, [::1]:7779 for IPv6; tried in turn",
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
    heartbeat_interval: float = setting(
        10.0,
        "agent",
        number(0.05, 3600),
        "Seconds between heartbeats to lars-dns and lars-reporter; one that is silent for 2.5 times as long is left",
    )
    module_ttl: float = setting(3600.0, "agent", seconds, "Seconds after which a module nobody asks for is forgotten")
    workers: int = setting(1, "agent", worker_count, "Processes: 1 for all shards together, 3 for one a shard")
    metrics: str = metrics_setting("agent")
    log_format: str = log_format_setting("agent")
    policy: str = setting(
        "adaptive", "balance", policy_name, f"How calls are balanced: {', '.join(NAMES[:-1])} or {NAMES[-1]}"
    )
    module_policies: ModulePolicies = setting(
        (),
        "balance",
        module_policies,
        "Modules with a policy of their own, MODID.CMDID:POLICY by commas",
        key="modules",
    )
    module_settings: ModuleChoices = setting(
        (),
        "balance",
        module_choices,
        "Settings of modules that get none from lars-dns, MODID.CMDID NAME=VALUE ... by commas; * for all modules",
        key="settings",
    )
    zone: str = setting("", "balance", zone_name, "Where this machine is; its calls prefer hosts of that zone")
    check_rate: float = setting(50.0, "balance", number(0.1, 1000), "Health checks a second, at most")
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

    given: frozenset[str] = names_given()

    @property
    def classic(self) -> ClassicSettings:
        """The numbers of the classic rules."""
        return ClassicSettings(**{name: getattr(self, name) for name in ClassicSettings.__dataclass_fields__})

    @property
    def classic_key(self) -> str:
        """The first key of [loadbalance] that chooses classic, because only classic has it; empty if none does.

        A `policy` that was given is not overridden.
        """
        if "policy" in self.given:
            return ""
        return next((name for name in ClassicSettings.__dataclass_fields__ if name in self.given), "")

    @property
    def default_policy(self) -> str:
        """The policy of modules that have none of their own (docs/design/balancing.md, choosing a policy)."""
        return "classic" if self.classic_key else self.policy

    @property
    def differences(self) -> str:
        """What decides how calls are balanced and is not as in a new agent, a line each: "policy = classic"."""
        new = {f.name: f.default for f in fields(self)}
        lines = [f"policy = {self.default_policy}"] if self.default_policy != new["policy"] else []
        lines += [
            f"{key} = {_as_text(getattr(self, name))}"
            for name, key in _SHOWN.items()
            if getattr(self, name) != new[name]
        ]
        if self.default_policy == "classic":
            numbers = {name: getattr(self, name) for name in ClassicSettings.__dataclass_fields__}
            lines += [f"{name} = {number:g}" for name, number in numbers.items() if number != getattr(_DEFAULTS, name)]
        return "\n".join(lines)[:MAX_DIFFERENCES]

    @property
    def without_effect(self) -> list[str]:
        """The keys of [loadbalance] that differ from their defaults, and that the default policy has no use for."""
        if self.default_policy == "classic":
            return []
        return [
            name for name in ClassicSettings.__dataclass_fields__ if getattr(self, name) != getattr(_DEFAULTS, name)
        ]
