"""Spans and metrics of calls with the real SDK."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.client.call import observe
from lars.client.integrations.opentelemetry import observe_calls
from tests.integration.client.integrations.http_hosts import HttpHost
from tests.integration.client.integrations.test_http import Httpx, server_error
from tests.integration.client.lone_agent import LoneAgent


@pytest.fixture
def observed() -> Iterator[None]:
    assert observe_calls()
    yield
    observe(None)


async def test_calls_have_spans_and_durations(agent: LoneAgent, hosts: list[HttpHost], observed: None) -> None:
    exporter, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracing = TracerProvider()
    tracing.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(tracing)
    metrics.set_meter_provider(MeterProvider([reader]))
    for host in hosts:
        host.behavior = "error"

    def calls() -> None:
        with LarsClient(agent.address) as client:
            with client.call(1, 1):
                pass
            with pytest.raises(OSError, match="no answer"), client.call(1, 1):
                raise OSError("no answer")
            with pytest.raises(KeyError), client.call(1, 1, failures=OSError):
                raise KeyError("mine")
        Httpx()(agent.address, [("POST", "http://1.1.lars/")], server_error, None)

    await deferToThread(calls)
    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["call 1.1"] * 4
    assert [span.status.is_ok for span in spans] == [True, False, True, False]
    attributes: list[Any] = [span.attributes for span in spans]
    assert {f"{one['server.address']}:{one['server.port']}" for one in attributes} <= {host.address for host in hosts}
    assert [one.get("error.type") for one in attributes] == [None, "OSError", "KeyError", None]
    data: Any = reader.get_metrics_data()
    [histogram] = data.resource_metrics[0].scope_metrics[0].metrics
    assert (histogram.name, histogram.unit) == ("lars.client.call.duration", "s")
    failed = {True: 0, False: 0}
    for point in histogram.data.data_points:
        failed[point.attributes["lars.failed"]] += point.count
    assert failed == {True: 2, False: 2}


def test_nothing_happens_where_the_package_is_not_installed() -> None:
    program = """
import sys
sys.modules["opentelemetry"] = None
from lars.client.call import Timed
from lars.client.integrations.opentelemetry import observe_calls
print(observe_calls())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "False\n"
