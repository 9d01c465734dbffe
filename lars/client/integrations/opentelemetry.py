"""OpenTelemetry: a span and metrics for each call to a host, where its API package is installed.

    observe_calls()     # once in a process

All calls are observed: those of `client.call` and `retrying`, and those of the other integrations. Where the package is
missing nothing happens. See docs/integrations.md, OpenTelemetry.
"""

from typing import Any

from lars import __version__
from lars.client.call import Observed, observe
from lars.client.host import Host


def observe_calls() -> bool:
    """Observes the calls of this process from now on; False where OpenTelemetry's API is not installed.

    The tracer and the meter are those of the global providers, which may be set later.
    """
    try:
        from opentelemetry import metrics, trace
    except ModuleNotFoundError:
        return False
    tracer = trace.get_tracer("lars", __version__)
    meter = metrics.get_meter("lars", __version__)
    duration = meter.create_histogram("lars.client.call.duration", "s", "Time of calls to hosts that Lars chose")

    def begun(host: Host) -> Observed:
        attributes: dict[str, str | int] = {
            "lars.module": f"{host.module.modid}.{host.module.cmdid}",
            "server.address": host.ip,
            "server.port": host.port,
        }
        span = tracer.start_span(f"call {attributes['lars.module']}", kind=trace.SpanKind.CLIENT, attributes=attributes)

        def ended(failed: bool, cost: float, error: BaseException | None) -> None:
            outcome: dict[str, Any] = {**attributes, "lars.failed": failed}
            if error is not None:
                outcome["error.type"] = type(error).__qualname__
                span.set_attribute("error.type", outcome["error.type"])
            if failed:
                span.set_status(trace.StatusCode.ERROR, str(error) if error is not None else None)
            span.end()
            duration.record(cost, outcome)

        return ended

    observe(begun)
    return True
