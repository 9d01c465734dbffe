"""The metrics of lars-agent, read from what it keeps anyway when Prometheus asks."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lars.agent.datagrams import DatagramCodec
from lars.agent.directory import Directory
from lars.agent.health.check import KINDS
from lars.agent.health.checks import HealthChecks
from lars.agent.links.dns_link import DnsLink
from lars.agent.links.report_link import ReportLink
from lars.agent.module import Module
from lars.agent.udp_port import UdpPort, dropped_datagrams
from lars.balancing.host import HostState
from lars.metrics.registry import labelled_counter, labelled_gauge
from lars.runtime.admission import Admission

EJECTIONS = ("errors", "window", "failures in a row", "failures", "back in the route", "check")
"""The reasons for which the policies eject, first those of classic."""

RESTORATIONS = ("successes", "timeout", "probe", "no other host", "check", "panic")
"""The reasons for which they restore."""

MODULES_SHOWN = 1_000
"""Modules that have a time series of their own; of more, there are only totals."""


class AgentMetrics(Collector):
    """Counters and gauges of one lars-agent; `now` is the reactor's clock in seconds."""

    def __init__(
        self,
        directories: Sequence[Directory],
        codecs: Sequence[DatagramCodec],
        ports: Sequence[UdpPort],
        admission: Admission,
        dns: DnsLink,
        reporter: ReportLink,
        health: HealthChecks,
        now: Callable[[], float],
    ) -> None:
        self._directories = directories
        self._codecs = codecs
        self._ports = ports
        self._admission = admission
        self._dns = dns
        self._reporter = reporter
        self._health = health
        self._now = now

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from self._routes()
        yield self._calls()
        yield from self._checks()
        yield labelled_gauge(
            "lars_agent_link_up",
            "Whether the link is up.",
            "to",
            {"lars-dns": self._dns.up, "lars-reporter": self._reporter.up},
        )
        yield GaugeMetricFamily(
            "lars_agent_reports_waiting",
            "Modules with counts to send, and reports sent and not acknowledged.",
            self._reporter.outbox.waiting,
        )

    def _requests(self) -> Iterator[Metric]:
        counters = [directory.counters for directory in self._directories]
        yield labelled_counter(
            "lars_agent_get_host_total",
            "Requests of get_host, by answer.",
            "answer",
            {name: sum(getattr(c, name) for c in counters) for name in ("succ", "overload", "noexist")},
        )
        dropped = sum(directory.dropped for directory in self._directories)
        for name, help, value in (
            ("get_route", "Requests of get_route.", sum(c.routes for c in counters)),
            (
                "route_states",
                "Route states given to clients that pick by themselves.",
                sum(c.states for c in counters),
            ),
            ("reports", "Results of calls that business processes reported.", sum(c.reports for c in counters)),
            ("reports_outside_route", "Of these, for hosts not in the route.", sum(c.unrouted for c in counters)),
            ("reports_dropped", "Results not counted: too many hosts outside the route.", dropped),
        ):
            yield CounterMetricFamily(f"lars_agent_{name}_total", help, value)
        yield labelled_counter(
            "lars_agent_datagrams_dropped_total",
            "Datagrams without effect: malformed ones, those not allowed, and those the kernel did not take.",
            "reason",
            {
                "malformed": sum(codec.malformed for codec in self._codecs),
                "overflow": sum(dropped_datagrams(port.number) for port in self._ports),
                "unsent": sum(port.unsent for port in self._ports),
                **self._admission.dropped(),
            },
        )

    def _checks(self) -> Iterator[Metric]:
        yield labelled_counter(
            "lars_agent_health_checks_total",
            "Health checks made, by what they found.",
            "result",
            {kind: self._health.outcomes[kind] for kind in KINDS},
        )
        yield CounterMetricFamily(
            "lars_agent_health_checks_spared_total",
            "Health checks that were due and not made, because the host answers calls well.",
            self._health.spared,
        )
        yield GaugeMetricFamily("lars_agent_checked_hosts", "Hosts under health checks.", self._health.checked)

    def _calls(self) -> Metric:
        """By module and result. The modules known for longest, so that no counter of them comes and goes."""
        family = CounterMetricFamily(
            "lars_agent_module_calls_total",
            f"Calls reported by module and result, and calls refused since no host may get them; of the "
            f"{MODULES_SHOWN} modules known for longest at most.",
            labels=["modid", "cmdid", "result"],
        )
        most = MODULES_SHOWN // len(self._directories)
        for module in (m for d in self._directories for m in islice(d.modules.values(), most)):
            modid, cmdid = map(str, module.id)
            succ, err = module.calls
            for result, count in (("success", succ), ("failure", err), ("refused", module.refused)):
                family.add_metric([modid, cmdid, result], count)
        return family

    def _routes(self) -> Iterator[Metric]:
        modules = [module for directory in self._directories for module in directory.modules.values()]
        hosts = sum(len(module.hosts) for module in modules)
        ejected = sum(module.ejected for module in modules)
        yield GaugeMetricFamily("lars_agent_modules", "Modules in use.", len(modules))
        yield labelled_gauge(
            "lars_agent_hosts",
            "Hosts of all modules by state.",
            "state",
            {"idle": hosts - ejected, "overloaded": ejected},
        )
        yield labelled_gauge(
            "lars_agent_hosts_by_state",
            "Hosts of all modules: as they are shown, but that those that warm up count as healthy.",
            "state",
            _by_state(modules),
        )
        ejections = _by_reason(EJECTIONS, (d.counters.ejections for d in self._directories))
        restorations = _by_reason(RESTORATIONS, (d.counters.restorations for d in self._directories))
        yield labelled_counter(
            "lars_agent_state_changes_total",
            "Hosts ejected (to overloaded) and restored (to idle).",
            "to",
            {"overloaded": sum(ejections.values()), "idle": sum(restorations.values())},
        )
        yield labelled_counter(
            "lars_agent_ejections_total", "Hosts ejected, by the rule that decided.", "reason", ejections
        )
        yield labelled_counter(
            "lars_agent_restorations_total", "Hosts restored, by the rule that decided.", "reason", restorations
        )
        now = self._now()
        ages = [now - m.routed_at for m in modules if m.routed_at is not None]
        yield GaugeMetricFamily(
            "lars_agent_route_age_seconds",
            "Age of the oldest route, since lars-dns last sent it.",
            max(ages, default=0.0),
        )
        by_module = GaugeMetricFamily(
            "lars_agent_module_hosts",
            f"Hosts by module and state; of {MODULES_SHOWN} modules at most, those with ejected hosts first.",
            labels=["modid", "cmdid", "state"],
        )
        for module in sorted(modules, key=lambda m: -m.ejected)[:MODULES_SHOWN]:
            modid, cmdid = map(str, module.id)
            by_module.add_metric([modid, cmdid, "idle"], len(module.hosts) - module.ejected)
            by_module.add_metric([modid, cmdid, "overloaded"], module.ejected)
        yield by_module


def _by_state(modules: Iterable[Module]) -> Mapping[str, int]:
    """Hosts by state; it looks closely only at those that do not just take calls."""
    found = dict.fromkeys(("healthy", "ejected", "unhealthy", "draining"), 0)
    for module in modules:
        draining = sum(not host.weight for host in module.hosts.values())
        states = module.policy.states() if module.ejected else {}
        unhealthy = sum(state is HostState.UNHEALTHY for state in states.values())
        ejected = sum(state is HostState.EJECTED for state in states.values())
        found["draining"] += draining
        found["unhealthy"] += unhealthy
        found["ejected"] += ejected
        found["healthy"] += len(module.hosts) - draining - unhealthy - ejected
    return found


def _by_reason(reasons: Sequence[str], counters: Iterable[Counter[str]]) -> Mapping[str, int]:
    """The sums by reason, as label values; each known reason is there from the start."""
    sums = Counter(dict.fromkeys(reasons, 0))
    for counter in counters:
        sums.update(counter)
    return {reason.replace(" ", "_"): count for reason, count in sums.items()}
