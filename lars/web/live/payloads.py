"""What live pages are sent: figures as texts, so that the script only puts them in place. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lars.db.calls import Minutes
from lars.db.fleet import Fleet
from lars.db.host_states import Watched
from lars.host_record import PLAIN
from lars.route import format_ip
from lars.web.formats import percent, rate, whole
from lars.web.live.host_stats import HostStats, host_page


@dataclass(frozen=True, slots=True)
class Overview:
    """The fleet at one moment: `read_at` on the reactor's clock, `at` in Unix seconds."""

    read_at: float
    at: float
    calls: float
    errors: float
    modules: int
    hosts: int
    minutes: Minutes
    fleet: Fleet


def fleet_payload(overview: Overview) -> dict[str, Any]:
    """What the script of the overview shows; `parts` changes with what it must fetch again."""
    fleet = overview.fleet
    parts = (fleet.alarms, [agent.ip for agent in fleet.agents], fleet.agents_silent)
    return {
        "calls": rate(overview.calls),
        "errors": percent(overview.errors, overview.calls),
        "ejected": whole(fleet.overloaded),
        "modules": whole(overview.modules),
        "hosts": whole(overview.hosts),
        "agents": whole(fleet.agents_count),
        "silent": whole(fleet.agents_silent),
        "alarms": whole(fleet.alarms_count),
        "trouble": [
            {
                "modid": t.module.modid,
                "cmdid": t.module.cmdid,
                "name": t.name,
                "ejected": f"{t.overloaded} / {t.hosts}",
                "state": "ejected" if t.overloaded else "failing",
                "errors": percent(t.err, t.succ + t.err),
                "calls": whole(t.succ + t.err),
            }
            for t in fleet.trouble
        ],
        "parts": _digest(parts),
    }


def module_payload(watched: Watched, hosts: Sequence[HostStats], number: int) -> dict[str, Any]:
    """What the script of a module's page shows of `hosts`; `parts` changes with what it must fetch again."""
    shown = host_page(hosts, number)
    module = watched.module
    here = sorted(h.host for h in shown) if len(shown) < len(hosts) else []
    records = sorted((h.host, repr(h.record)) for h in shown if h.record != PLAIN)
    reasons = sorted((h.host, h.reason) for h in shown if h.reason)
    parts = (
        reasons,
        module.hosts,
        module.modid_name,
        module.cmdid_name,
        sorted(module.leases),
        here,
        records,
        module.settings,
    )
    return {
        "hosts": {
            f"{format_ip(h.host.ip)}:{h.host.port}": {
                "state": h.state,
                "by": [h.ejected_by, h.callers],
                "share": percent(h.calls, h.of),
                "portion": round(100 * h.calls / h.of) if h.of else 0,
                "calls": whole(h.calls),
                "errors": percent(h.err, h.calls),
            }
            for h in shown
        },
        "parts": _digest(parts),
    }


def _digest(parts: object) -> str:
    return sha256(repr(parts).encode()).hexdigest()[:12]
