"""What lars-agent tells of itself at /metrics: read at the scrape, counted nowhere twice."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.agent.dns_link import DnsLink
from lars.agent.port import ShardPort, dropped_datagrams
from lars.agent.report_link import ReportLink
from lars.agent.shard import Shard
from lars.metrics.registry import labelled_counter, labelled_gauge

MODULES_SHOWN = 1_000
"""Modules whose hosts are told one by one; of more, only the totals."""


class AgentNumbers(Collector):
    """Counters and gauges of one lars-agent; `now` is the reactor's clock in seconds."""

    def __init__(
        self,
        shards: Sequence[Shard],
        ports: Sequence[ShardPort],
        dns: DnsLink,
        reporter: ReportLink,
        now: Callable[[], float],
    ) -> None:
        self._shards = shards
        self._ports = ports
        self._dns = dns
        self._reporter = reporter
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from self._routes()
        yield labelled_gauge(
            "lars_agent_link_up",
            "Whether the link stands.",
            "to",
            {"lars-dns": self._dns.up, "lars-reporter": self._reporter.up},
        )
        yield GaugeMetricFamily(
            "lars_agent_reports_waiting",
            "Modules with counts to send, and reports sent and not acknowledged.",
            self._reporter.outbox.waiting,
        )

    def _requests(self) -> Iterator[Metric]:
        counters = [shard.counters for shard in self._shards]
        yield labelled_counter(
            "lars_agent_get_host_total",
            "get_host requests by answer.",
            "answer",
            {name: sum(getattr(c, name) for c in counters) for name in ("succ", "overload", "noexist")},
        )
        dropped = sum(c.dropped for c in counters)
        dropped += sum(m.tally.dropped for s in self._shards for m in s.modules.values())
        for name, help, value in (
            ("get_route", "get_route requests.", sum(c.routes for c in counters)),
            (
                "route_states",
                "Route states told to clients that choose by themselves.",
                sum(c.states for c in counters),
            ),
            ("reports", "Results of calls that business processes reported.", sum(c.reports for c in counters)),
            ("reports_outside_route", "Of these, for hosts not in the route.", sum(c.strangers for c in counters)),
            ("reports_dropped", "Results not counted: too many hosts outside the route.", dropped),
        ):
            yield CounterMetricFamily(f"lars_agent_{name}_total", help, value)
        yield labelled_counter(
            "lars_agent_datagrams_dropped_total",
            "Datagrams without effect: malformed ones, those the kernel had no room for, and answers it did not take.",
            "reason",
            {
                "malformed": sum(c.malformed for c in counters),
                "overflow": sum(dropped_datagrams(port.number) for port in self._ports),
                "unsent": sum(port.unsent for port in self._ports),
            },
        )

    def _routes(self) -> Iterator[Metric]:
        modules = [module for shard in self._shards for module in shard.modules.values()]
        idle = sum(m.balancer.idle_count for m in modules)
        overloaded = sum(m.balancer.overloaded_count for m in modules)
        yield GaugeMetricFamily("lars_agent_modules", "Modules that somebody asks for.", len(modules))
        yield labelled_gauge(
            "lars_agent_hosts", "Hosts of all modules by state.", "state", {"idle": idle, "overloaded": overloaded}
        )
        yield labelled_counter(
            "lars_agent_state_changes_total",
            "Hosts set aside and taken back.",
            "to",
            {
                "overloaded": sum(s.counters.set_aside for s in self._shards),
                "idle": sum(s.counters.taken_back for s in self._shards),
            },
        )
        now = self._now()
        ages = [now - m.routed_at for m in modules if m.routed_at is not None]
        yield GaugeMetricFamily(
            "lars_agent_route_age_seconds", "Since lars-dns last sent the route that is oldest.", max(ages, default=0.0)
        )
        by_module = GaugeMetricFamily(
            "lars_agent_module_hosts",
            f"Hosts by module and state; of {MODULES_SHOWN} modules at most, those with overloaded hosts first.",
            labels=["modid", "cmdid", "state"],
        )
        for module in sorted(modules, key=lambda m: -m.balancer.overloaded_count)[:MODULES_SHOWN]:
            modid, cmdid = map(str, module.module)
            by_module.add_metric([modid, cmdid, "idle"], module.balancer.idle_count)
            by_module.add_metric([modid, cmdid, "overloaded"], module.balancer.overloaded_count)
        yield by_module
