"""Looks at running services, at their servers and files."""

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from lars import __version__
from lars.agent.settings import AgentSettings, Server
from lars.cli.doctor.findings import (
    Finding,
    State,
    limit_finding,
    link_finding,
    port_finding,
    readiness_finding,
    secret_finding,
    shared_folder_finding,
    version_finding,
    wrong,
)
from lars.cli.doctor.services import Service
from lars.client.agent_inspect import ModuleListQuery
from lars.route import HostAddress, format_ip

TIMEOUT = 2.0
"""Seconds for each answer."""


def looked_at(service: Service, needed: bool) -> Iterator[Finding]:
    """All findings of a service but those of its database.

    Args:
        service: the service.
        needed: whether it must run here.
    """
    settings = service.settings
    if isinstance(settings, AgentSettings):
        place, reason = str(settings.listen), agent_fault(settings.listen)
    elif service.listen is not None:
        place, reason = str(service.listen), tcp_fault(service.listen)
    else:
        place, reason = str(settings.listen), ""
    port = port_finding(service.name, place, reason, needed)
    yield port
    yield from (secret_finding(path, Path(path).stat().st_mode) for path in service.secrets)
    if port.state is State.OFF:
        return
    yield from _of_metrics(service)
    if isinstance(settings, AgentSettings):
        yield from _of_agent(service.name, settings)


def _of_metrics(service: Service) -> Iterator[Finding]:
    place = service.metrics
    if place is None:
        what = "has no metrics, so that readiness, limits and version are not known"
        yield Finding("versions", service.name, State.OFF, what)
        return
    try:
        status, reason = get(place, "/readyz")
        families = list(text_string_to_metric_families(get(place, "/metrics")[1]))
    except (OSError, HTTPException, ValueError) as error:
        yield wrong("ports", service.name, f"metrics at {place}: {reason_of(error)}", f"start {service.name} anew")
        return
    yield readiness_finding(service.name, status, reason)
    samples = [sample for family in families for sample in family.samples]
    for sample in samples:
        if sample.name == "lars_build_info" and sample.labels.get("service") == service.name:
            yield version_finding(service.name, sample.labels["version"], __version__)
        elif sample.name == "process_max_fds" and hasattr(service.settings, "max_connections"):
            yield limit_finding(service.name, int(sample.value), service.settings.max_connections)


def _of_agent(name: str, settings: AgentSettings) -> Iterator[Finding]:
    for kind, servers in (("lars-dns", settings.dns), ("lars-reporter", settings.reporter)):
        for server in servers:
            yield link_finding(name, str(server), tcp_fault(server), kind)
    if settings.state_dir:
        folder = Path(settings.state_dir)
        if folder.is_dir():
            yield shared_folder_finding(str(folder), folder.stat().st_mode)
        else:
            advice = f"create {folder}, owned by the user that lars-agent runs as, or set another state_dir"
            yield wrong("permissions", str(folder), "no such folder, so that no routes are saved", advice)


def get(place: Server, path: str) -> tuple[int, str]:
    """The status and text of a page. Raises OSError or HTTPException."""
    with closing(HTTPConnection(place.host, place.port, timeout=TIMEOUT)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode("utf-8", "replace")


def tcp_fault(server: Server) -> str:
    """Why a server does not accept connections; empty if it does."""
    try:
        socket.create_connection(server, TIMEOUT).close()
    except OSError as error:
        return reason_of(error)
    return ""


def agent_fault(place: HostAddress) -> str:
    """Why the first shard of an agent does not answer; empty if it does."""
    query = ModuleListQuery(1, 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(TIMEOUT)
        try:
            asker.connect((format_ip(place.ip) if place.ip else "127.0.0.1", place.port))
            asker.send(query.datagrams[0])
            answer = asker.recv(query.max_size)
        except OSError as error:
            return reason_of(error)
    return "" if query.answer(answer) is not None else "what answers is no agent of this version"


def reason_of(error: Exception) -> str:
    """An error in a few words."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
