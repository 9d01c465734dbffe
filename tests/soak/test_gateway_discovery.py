"""Envoy and Prometheus, the programs themselves, follow a route through lars-gateway."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.threads import deferToThread

from bench.processes.http import get
from lars.client import LarsClient
from tests.integration.gateway.followed import Followed
from tests.integration.gateway.running_gateway import StartService
from tests.integration.processes import Child, ReservedPort
from tests.integration.waiting import until

FOLLOWED = 2.0
"""Seconds from the commit of an edit to Envoy's calls: lars-dns polls each second, Envoy each 0.25 to 0.5 s."""


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def followed(
    reactor: Any, start_service: StartService, sqlite_url: str, tmp_path: Path
) -> AsyncIterator[Followed]:
    followed = Followed(reactor, start_service, sqlite_url, tmp_path)
    yield followed
    await followed.close()


def static(name: str, port: int) -> dict[str, Any]:
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def bootstrap(port: int, gateway_port: int) -> dict[str, Any]:
    """Envoy's configuration: what comes to the port goes to the hosts of (1, 1)."""
    source = {
        "api_type": "REST",
        "transport_api_version": "V3",
        "cluster_names": ["lars_gateway"],
        "refresh_delay": "0.25s",
    }
    payments = {
        "name": "payments",
        "type": "EDS",
        "connect_timeout": "1s",
        "eds_cluster_config": {
            "service_name": "1.1",
            "eds_config": {"resource_api_version": "V3", "api_config_source": source},
        },
    }
    kind = "type.googleapis.com/envoy.extensions.filters"
    routes = [{"match": {"prefix": "/"}, "route": {"cluster": "payments"}}]
    http = {
        "@type": f"{kind}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "f",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": routes}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": f"{kind}.http.router.v3.Router"}}],
    }
    listener = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": http}]}],
    }
    return {
        "node": {"id": "test", "cluster": "test"},
        "static_resources": {"listeners": [listener], "clusters": [payments, static("lars_gateway", gateway_port)]},
    }


async def test_envoy_follows_an_edit_within_two_seconds_and_drops_an_ejected_host(
    followed: Followed, reactor: Any, tmp_path: Path
) -> None:
    await followed.up(hosts=2)
    first, second, third = followed.backends.hosts
    conf = tmp_path / "envoy.json"
    with ReservedPort() as port:
        conf.write_text(json.dumps(bootstrap(port.number, followed.gateway.port)), encoding="utf-8")
        envoy = str(Path(sys.executable).with_name("envoy"))
        command = [envoy, "--config-path", str(conf), "--concurrency", "1", "--use-dynamic-base-id"]
        with Child(reactor, "envoy", command, tmp_path) as child:
            child.start()
            await followed.calls_go_to(port.number, first, second, deadline=30)
            await followed.add(third)
            assert await followed.calls_go_to(port.number, first, second, third) < FOLLOWED
            await followed.remove(first)
            assert await followed.calls_go_to(port.number, second, third) < FOLLOWED
            await followed.add(first)
            await followed.calls_go_to(port.number, first, second, third)
            failure = {"host": first, "retcode": 1}
            await deferToThread(followed.gateway.curl, "/v1/modules/1/1/host")
            await deferToThread(followed.gateway.post, "/v1/modules/1/1/reports", [failure, failure])
            with LarsClient(f"127.0.0.1:{followed.fleet.agent_port}", cache=False, state_dir="") as another:
                another.report(next(h for h in another.get_route(1, 1) if str(h) == first), retcode=1)
            assert await followed.calls_go_to(port.number, second, third) < FOLLOWED
            followed.fleet.agent.pause()
            assert await followed.calls_go_to(port.number, second, third) < FOLLOWED
            followed.fleet.agent.resume()


async def test_prometheus_finds_its_targets(followed: Followed, reactor: Any, tmp_path: Path) -> None:
    await followed.up(hosts=2)
    first, second, third = followed.backends.hosts
    conf = tmp_path / "prometheus.json"  # JSON is YAML
    source = {
        "url": f"http://127.0.0.1:{followed.gateway.port}/v1/prometheus/targets?module=1.1",
        "refresh_interval": "1s",
    }
    relabel = {"source_labels": ["__meta_lars_modid"], "target_label": "modid"}
    job = {"job_name": "payments", "http_sd_configs": [source], "relabel_configs": [relabel]}
    conf.write_text(json.dumps({"scrape_configs": [job]}), encoding="utf-8")
    with ReservedPort() as port:
        command = [
            "prometheus",
            f"--config.file={conf}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port.number}",
        ]

        async def targets() -> dict[str, str]:
            try:
                status, text = await deferToThread(get, port.number, "/api/v1/targets?state=active")
            except OSError:
                return {}
            active = json.loads(text)["data"]["activeTargets"] if status == 200 else []
            return {target["labels"]["instance"]: target["labels"]["modid"] for target in active}

        async def found(*hosts: str) -> None:
            async def as_wanted() -> bool:
                return await targets() == dict.fromkeys(hosts, "1")

            await until(reactor, as_wanted, f"Prometheus to find {hosts}", 30)

        with Child(reactor, "prometheus", command, tmp_path) as child:
            child.start()
            await found(first, second)
            await followed.add(third)
            await followed.remove(first)
            await found(second, third)
