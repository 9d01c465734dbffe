"""What is in the database as the JSON of the API: pure."""

from lars.db.agents import Agent
from lars.db.alarms import Alarm
from lars.db.audit import AuditRow
from lars.db.callers import CallerView
from lars.db.held_routes import HeldRoute, Progress
from lars.db.modules import Module
from lars.db.routes import EditDone, RouteChanged
from lars.host_record import PLAIN, HostRecord, usable
from lars.module_settings import from_json
from lars.route import HostAddress, format_ip
from lars.web.formats import iso

_LAST = 253_402_300_799
"""The last second of the year 9999, in Unix seconds: SQL may write later ones."""


def as_host(module: Module, host: HostAddress) -> dict[str, object]:
    """A host of a module; `ttl` and `owner` are null unless it registered itself, `drain` unless it is drained."""
    lease = module.leases.get(host)
    record = usable(module.records.get(host, PLAIN))
    return {
        "host": str(host),
        "ip": format_ip(host.ip),
        "port": host.port,
        "ttl": lease.ttl if lease else None,
        "owner": lease.owner if lease else None,
        "weight": record.weight,
        "zone": record.zone,
        "tags": list(record.tags),
        "note": record.note,
        "drain": _drain(record),
    }


def _drain(record: HostRecord) -> dict[str, object] | None:
    """A drain; `until` is null if it has no end, `weight` is what its end restores."""
    if not record.draining:
        return None
    until = iso(min(record.drained_until, _LAST)) if record.drained_until > 0 else None
    return {"until": until, "reason": record.drain_reason, "weight": record.drained_weight}


def as_module(module: Module) -> dict[str, object]:
    """A module with its hosts, and what it sets."""
    return {
        **module.id._asdict(),
        "modid_name": module.modid_name,
        "cmdid_name": module.cmdid_name,
        "hosts": [as_host(module, host) for host in module.hosts],
        "settings": dict(from_json(module.settings)[0]),
    }


def as_edited(done: EditDone) -> dict[str, object]:
    """What an edit changed."""
    return {"version": done.version, "changed": [_change(changed) for changed in done.changed]}


def _change(changed: RouteChanged) -> dict[str, object]:
    return {
        **changed.module._asdict(),
        "added": list(map(str, changed.added)),
        "removed": list(map(str, changed.removed)),
        "altered": [str(host) for host, _before, _after in changed.altered],
        "settings": changed.settings[0] != changed.settings[1],
    }


def as_alarm(alarm: Alarm) -> dict[str, object]:
    """An alarm; `cleared_at` is null while it is active."""
    subject = alarm.subject
    return {
        "id": alarm.id,
        "rule": alarm.rule,
        "what": alarm.what,
        "modid": subject.modid,
        "cmdid": subject.cmdid,
        "module": alarm.module_name,
        "host": str(HostAddress(subject.ip, subject.port)) if subject.ip else None,
        "caller": format_ip(subject.caller) if subject.caller else None,
        "text": alarm.text,
        "text_now": alarm.text_now or alarm.text,
        "raised_at": iso(alarm.raised_at),
        "cleared_at": iso(alarm.cleared_at) if alarm.cleared_at else None,
        "clear_reason": alarm.clear_reason,
    }


def as_agent(agent: Agent) -> dict[str, object]:
    """An agent; what it does not say of itself is null."""
    facts = agent.facts
    says = bool(facts.started_at)
    return {
        "ip": format_ip(agent.ip),
        "seen_at": iso(agent.seen_at),
        "clock_skew": agent.skew,
        "hostname": facts.hostname if says else None,
        "version": facts.version if says else None,
        "zone": facts.zone if says else None,
        "started_at": iso(facts.started_at) if says else None,
        "dns": facts.dns or None,
        "reporter": facts.reporter or None,
        "settings": facts.settings.splitlines() if says else None,
    }


def as_caller_view(view: CallerView) -> dict[str, object]:
    """How a caller sees a host; null for what its agent does not say. `latency` is in seconds."""
    return {
        **view.module._asdict(),
        "host": str(view.host),
        "caller": format_ip(view.caller),
        "hostname": view.hostname,
        "state": view.condition.word,
        "reason": view.reason,
        "since": iso(view.since) if view.since else None,
        "succ": view.succ,
        "err": view.err,
        "period": view.period or None,
        "latency": view.latency,
        "last_report": iso(view.last_report),
    }


def as_held_route(route: HeldRoute) -> dict[str, object]:
    """A route that an agent holds; `version` is null if its lars-dns does not say."""
    return {**route.module._asdict(), "version": route.version or None, "behind": route.behind}


def as_progress(progress: Progress) -> dict[str, object]:
    """How far a change has come; `waiting` has the agents that do not have it, some of them."""
    return {
        "version": progress.version,
        "modules": [module._asdict() for module in progress.modules],
        "agents": progress.agents,
        "have": progress.have,
        "unknown": progress.unknown,
        "waiting": [
            {"ip": format_ip(one.caller), "hostname": one.hostname, **one.module._asdict(), "version": one.version}
            for one in progress.waiting
        ],
    }


def as_edit(row: AuditRow) -> dict[str, object]:
    """A row of the audit."""
    return {
        "id": row.id,
        "at": iso(row.at),
        "actor": row.actor,
        "what": row.edit.what,
        "modid": row.edit.modid,
        "cmdid": row.edit.cmdid,
        "before": row.edit.before,
        "after": row.edit.after,
        "version": row.edit.version,
    }
