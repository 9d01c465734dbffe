"""The metrics of lars-gateway, read at the scrape."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.gateway.agent import Agent
from lars.gateway.dns.resolver import RCODES, Resolver
from lars.gateway.dns.transports import DnsConnections
from lars.gateway.http.site import GatewaySite
from lars.metrics.registry import labelled_counter


class GatewayMetrics(Collector):
    """Counters and gauges of one lars-gateway."""

    def __init__(self, agent: Agent, site: GatewaySite, resolver: Resolver, connections: DnsConnections) -> None:
        self._agent = agent
        self._site = site
        self._resolver = resolver
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("lars_gateway_agent_up", "Whether the agent answered last time", self._agent.is_alive)
        yield GaugeMetricFamily("lars_gateway_modules", "Modules asked for lately", len(self._agent.routes))
        yield from self._http()
        yield from self._dns()

    def _http(self) -> Iterator[Metric]:
        site, api = self._site, self._site.api
        answers = {f"{digit}xx": site.answered[digit] for digit in range(1, 6)}
        yield labelled_counter("lars_gateway_http_answers", "Requests answered, by code", "code", answers)
        yield CounterMetricFamily("lars_gateway_http_hosts", "Hosts given", api.hosts)
        yield CounterMetricFamily("lars_gateway_http_reports", "Calls reported", api.reports)
        yield CounterMetricFamily("lars_gateway_http_unrouted", "Of these, to hosts outside the route", api.unrouted)
        yield GaugeMetricFamily("lars_gateway_http_connections", "Connections open", site.open)
        yield CounterMetricFamily("lars_gateway_http_refused_connections", "Closed: too many were open", site.refused)
        yield CounterMetricFamily("lars_gateway_http_late_connections", "Closed: a request took too long", site.late)

    def _dns(self) -> Iterator[Metric]:
        resolver, connections = self._resolver, self._connections
        replies = {name: resolver.answered[name] for name in (*RCODES.values(), "badvers")}
        yield labelled_counter("lars_gateway_dns_answers", "Queries answered, by response code", "rcode", replies)
        yield CounterMetricFamily("lars_gateway_dns_malformed", "Messages that are no query", resolver.malformed)
        yield CounterMetricFamily("lars_gateway_dns_truncated", "Answers that did not fit", resolver.truncated)
        yield GaugeMetricFamily("lars_gateway_dns_pending", "Queries that wait for the agent", resolver.pending)
        yield GaugeMetricFamily("lars_gateway_dns_connections", "TCP connections open", len(connections.connections))
        yield CounterMetricFamily("lars_gateway_dns_refused_connections", "Closed: too many", connections.refused)
