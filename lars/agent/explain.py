"""How the policy of a module would choose now, page by page: what `lars explain` shows.

See docs/design/wire.md, messages.
"""

from lars.agent.module import Module
from lars.balancing.host import HostExplanation, HostState
from lars.wire.lars_pb2 import ExplainedHost, ExplainRequest, ExplainResponse

PAGE_HOSTS = 500
"""Hosts in one page, at most: it fits a datagram, and no get_host waits long for it."""


def explain_page(module: Module | None, request: ExplainRequest, now: float) -> ExplainResponse:
    """The page from the request's offset on; empty for a module that is not known."""
    page = ExplainResponse(seq=request.seq, modid=request.modid, cmdid=request.cmdid, offset=request.offset)
    if module is not None:
        page.policy = module.policy_name
        page.total = len(module.hosts)
        page.host.extend(map(_explained, module.explain(now, request.offset, PAGE_HOSTS)))
    return page


def _explained(host: HostExplanation) -> ExplainedHost:
    return ExplainedHost(
        ip=host.address.ip,
        port=host.address.port,
        ejected=host.state is not HostState.HEALTHY,
        share=host.share,
        calls=host.calls,
        failures=host.failures,
        failures_in_a_row=host.failures_in_a_row,
        in_flight=host.in_flight,
        latency=host.latency,
        next_probe=host.next_probe,
        why=host.why,
        condition=host.condition,
        reason=host.reason,
    )
