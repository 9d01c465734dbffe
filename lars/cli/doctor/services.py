"""The services whose conf files are in a folder, and what of their settings is looked at."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lars.agent.settings import AgentSettings, Server
from lars.cli.doctor.findings import Finding, wrong
from lars.db.url import SqliteUrl, parse_url
from lars.dns.settings import DnsSettings
from lars.errors import SettingsError
from lars.gateway.settings import GatewaySettings
from lars.reporter.settings import ReporterSettings
from lars.settings import read_conf, resolve
from lars.web.settings import WebSettings

SERVICES: dict[str, type] = {
    "dns": DnsSettings,
    "reporter": ReporterSettings,
    "agent": AgentSettings,
    "web": WebSettings,
    "gateway": GatewaySettings,
}

SECRETS = ("token_file", "tls_key")
"""The settings that name files which nobody else may read."""

_PORT = re.compile(r"(?:tcp|ssl):(?:port=)?(\d+)")
_INTERFACE = re.compile(r":interface=((?:\\.|[^:\\])+)")


@dataclass(frozen=True, slots=True)
class Service:
    """A service as it is configured here."""

    name: str
    settings: Any
    conf: str

    @property
    def listen(self) -> Server | None:
        """Where it is reached by TCP, from this machine; None for one that is not."""
        return tcp_place(self.settings.listen) if isinstance(self.settings.listen, str) else None

    @property
    def metrics(self) -> Server | None:
        """Where its metrics are."""
        return tcp_place(self.settings.metrics)

    @property
    def database(self) -> str:
        """The URL of its database; empty without one."""
        return str(getattr(self.settings, "db", ""))

    @property
    def secrets(self) -> list[str]:
        """Files that hold a secret, as far as they are there: its conf file too if that has a password."""
        files = [str(getattr(self.settings, name, "")) for name in SECRETS]
        url = parse_url(self.database) if self.database else None
        if isinstance(url, SqliteUrl):
            files.append(str(url.path))
        elif url is not None and _has_password(self.conf):
            files.append(self.conf)
        return [file for file in files if file and Path(file).exists()]


def _has_password(conf: str) -> bool:
    """Whether a conf file names a database on a server, as Lars or as C++ Lars has it."""
    return any(key in (("database", "url"), ("mysql", "db_passwd")) for key in read_conf(conf))


def tcp_place(endpoint: str) -> Server | None:
    """Where a Twisted endpoint string is reached from this machine; None unless it is TCP."""
    port = _PORT.match(endpoint)
    if port is None:
        return None
    interface = _INTERFACE.search(endpoint)
    host = interface[1].replace("\\", "") if interface else "0.0.0.0"
    return Server({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), int(port[1]))


def services_in(folder: Path) -> tuple[list[Service], list[Finding]]:
    """The services whose conf files are in a folder, and what is wrong with conf files that cannot be used."""
    found, findings = [], []
    for name, settings_type in SERVICES.items():
        path = folder / f"lars-{name}.conf"
        if not path.exists():
            continue
        try:
            found.append(Service(f"lars-{name}", resolve(settings_type, conf=str(path), environ=os.environ), str(path)))
        except SettingsError as error:
            findings.append(wrong("settings", f"lars-{name}", str(error), f"correct {path}"))
    return found, findings
