"""deploy/prometheus and deploy/grafana in the real Prometheus, and the names of all metrics."""

import json
import re
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest_twisted
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.threads import deferToThread

from bench.processes.http import get
from tests.integration.conftest import StartService
from tests.integration.deploy.watched_stack import SERVICES, WatchedStack
from tests.integration.processes import Child, ReservedPort
from tests.integration.waiting import until

DEPLOY = Path(__file__).parents[3] / "deploy"
RULES = DEPLOY / "prometheus" / "lars-rules.yml"

SHARED = ("lars_build_info", "lars_reactor_lag_", "lars_certificate_expiry_seconds")
"""The metrics that services have in common."""

OTHER_UNITS = re.compile(r"_(ms|us|ns|milliseconds|microseconds|minutes|hours|days|kb|mb|kib|mib|bits|percent)(_|$)")
"""Units that are not the base units of Prometheus (https://prometheus.io/docs/practices/naming/)."""


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def watched(reactor: Any, start_service: StartService, tmp_path: Path) -> AsyncIterator[WatchedStack]:
    stack = WatchedStack(reactor, start_service, tmp_path)
    await stack.up()
    yield stack
    stack.close()


def breaches(service: str, family: Metric) -> list[str]:
    """How a metric breaks the conventions."""
    name = family.name
    found = []
    if name.endswith("_created"):  # when a histogram began, which prometheus_client adds to it
        return []
    if not re.fullmatch(r"lars_[a-z]+(_[a-z]+)+", name):
        found.append("is not in lower case with single underscores")
    if not name.startswith((f"lars_{service}_", *SHARED)):
        found.append("does not begin with its service")
    if not family.documentation.strip() or family.documentation[0].islower():
        found.append("has no HELP that is a sentence")
    if OTHER_UNITS.search(name):
        found.append("has a unit that is no base unit")
    if re.search(r"_(seconds|bytes)_", name):
        found.append("does not end with its unit")
    if family.type == "counter" and not all(s.name == f"{name}_total" for s in family.samples):
        found.append("is a counter without _total")
    if family.type == "gauge" and re.search(r"_(total|count|sum|bucket)$", name):
        found.append("is a gauge with the ending of a counter or a histogram")
    if family.type not in ("counter", "gauge", "histogram"):
        found.append(f"is {family.type}")
    return [f"{name} {what}" for what in found]


async def test_metrics_of_all_services_follow_the_conventions(watched: WatchedStack) -> None:
    for service in SERVICES:
        page = watched.page(service)
        ours = [f for f in text_string_to_metric_families(page) if f.name.startswith("lars_")]
        assert len(ours) > 5, page
        assert [breach for family in ours for breach in breaches(service, family)] == []
        checked = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
        assert checked.returncode == 0, f"lars-{service}: {checked.stdout}{checked.stderr}"


def test_promtool_accepts_rules_and_scrape_configuration_and_alerts_fire_and_are_silent_as_they_should() -> None:
    for arguments in (
        ("check", "rules", str(RULES)),
        ("check", "config", "--syntax-only", str(DEPLOY / "prometheus" / "lars-scrape.yml")),
        ("test", "rules", str(Path(__file__).with_name("lars-rules-test.yml"))),
    ):
        done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr


def expressions(dashboard: Any) -> list[str]:
    """The queries of the dashboard's panels, with what Grafana puts in the place of its variables."""
    texts = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    values = {"$__rate_interval": "1m", "$modid": ".+", "$cmdid": ".+"}
    return [re.sub(r"\$\w+", lambda found: values[found[0]], text) for text in texts]


class Prometheus:
    """The program itself, which scrapes the stack twice a second."""

    def __init__(self, reactor: Any, folder: Path, stack: WatchedStack) -> None:
        self.port = ReservedPort()
        jobs = [
            {"job_name": f"lars-{name}", "static_configs": [{"targets": [f"127.0.0.1:{port.number}"]}]}
            for name, port in stack.ports.items()
        ]
        often = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
        config = folder / "prometheus.yml"  # of which JSON is a part
        config.write_text(
            json.dumps({"global": often, "rule_files": [str(RULES)], "scrape_configs": jobs}), encoding="utf-8"
        )
        self._process = Child(
            reactor,
            "prometheus",
            [
                "prometheus",
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{self.port.number}",
            ],
            folder,
        )
        self._process.start()

    async def ask(self, path: str) -> Any:
        """The data of an answer of its API; None before it answers."""
        try:
            status, text = await deferToThread(get, self.port.number, path)
        except OSError:
            return None
        return json.loads(text)["data"] if status == 200 else None

    def close(self) -> None:
        self._process.close()
        self.port.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def prometheus(reactor: Any, watched: WatchedStack, tmp_path: Path) -> AsyncIterator[Prometheus]:
    prometheus = Prometheus(reactor, tmp_path, watched)
    yield prometheus
    prometheus.close()


async def test_prometheus_evaluates_every_rule_and_query_of_the_dashboard_and_has_every_metric_in_them(
    prometheus: Prometheus, reactor: Any
) -> None:
    written = len(re.findall(r"^ +- (?:alert|record):", RULES.read_text(encoding="utf-8"), re.MULTILINE))

    async def settled() -> bool:
        groups = (await prometheus.ask("/api/v1/rules") or {"groups": []})["groups"]
        rules = [rule for group in groups for rule in group["rules"]]
        assert not [rule["name"] for rule in rules if rule["health"] == "err"]
        up = await prometheus.ask(f"/api/v1/query?query={quote('sum(up)')}")
        scraped = bool(up and up["result"]) and up["result"][0]["value"][1] == str(len(SERVICES))
        return scraped and len(rules) == written and all(rule["health"] == "ok" for rule in rules)

    await until(reactor, settled, "Prometheus to scrape all services and to evaluate all rules", 20)
    rules = [rule for group in (await prometheus.ask("/api/v1/rules"))["groups"] for rule in group["rules"]]
    queries = [rule["query"] for rule in rules]
    queries += expressions(json.loads((DEPLOY / "grafana" / "lars.json").read_text(encoding="utf-8")))
    assert len(queries) > 35
    for query in queries:
        answer = await prometheus.ask(f"/api/v1/query?query={quote(query)}")
        assert answer is not None, query
        assert answer["resultType"] == "vector", query
    used = {name for query in queries for name in re.findall(r"(?<![:\w])(?:lars|process)_\w+", query)}
    known = set(await prometheus.ask("/api/v1/label/__name__/values"))
    missing = used - known - {"lars_certificate_expiry_seconds"}  # which a service without TLS lacks
    assert not missing
