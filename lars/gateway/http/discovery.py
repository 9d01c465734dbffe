"""Routes in the formats of Envoy's endpoint discovery and of Prometheus' HTTP service discovery. Pure."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from json import dumps
from typing import Any

from lars.gateway.route import Route, RoutedHost
from lars.route import format_ip

ENDPOINTS = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"
"""What Envoy asks for."""


def state_of(host: RoutedHost) -> str:
    """The state of a host, in the words of all of Lars."""
    return "ejected" if host.ejected else "healthy"


def discovery_response(routes: Mapping[str, Route]) -> dict[str, Any]:
    """Envoy's DiscoveryResponse: an assignment for each name that it asked for.

    The version is a digest of the assignments: it changes when they do, and is that of any other gateway's.
    """
    resources = [_assignment(name, route) for name, route in routes.items()]
    version = blake2b(dumps(resources, sort_keys=True).encode(), digest_size=8).hexdigest()
    return {"version_info": version, "resources": resources, "type_url": ENDPOINTS, "nonce": version}


def _assignment(name: str, route: Route) -> dict[str, Any]:
    # Envoy wants weights of 1 and more: a drained host is left out while others take calls.
    weighted = [host for host in route.hosts if host.weight] or route.hosts
    endpoints = [{"lb_endpoints": [_endpoint(host) for host in weighted]}] if weighted else []
    return {"@type": ENDPOINTS, "cluster_name": name, "endpoints": endpoints}


def _endpoint(host: RoutedHost) -> dict[str, Any]:
    ip, port = host.address
    return {
        "endpoint": {"address": {"socket_address": {"address": format_ip(ip), "port_value": port}}},
        "health_status": "UNHEALTHY" if host.ejected else "HEALTHY",
        "load_balancing_weight": max(1, host.weight),
    }


def prometheus_targets(routes: Sequence[Route]) -> list[dict[str, Any]]:
    """Target groups, one for each module and state: ejected hosts are to be looked at, too."""
    groups: dict[tuple[int, int, str], list[str]] = {}
    for route in routes:
        for host in route.hosts:
            groups.setdefault((*route.module, state_of(host)), []).append(str(host.address))
    return [
        {
            "targets": targets,
            "labels": {"__meta_lars_modid": str(modid), "__meta_lars_cmdid": str(cmdid), "__meta_lars_state": state},
        }
        for (modid, cmdid, state), targets in groups.items()
    ]
