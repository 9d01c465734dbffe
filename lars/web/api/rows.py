"""What is in the database as the JSON of the API: pure."""

from lars.db.alarms import Alarm
from lars.db.audit import AuditRow
from lars.db.modules import Module
from lars.db.routes import EditDone
from lars.route import HostAddress, format_ip
from lars.web.formats import iso


def as_host(module: Module, host: HostAddress) -> dict[str, object]:
    """A host of a module; `ttl` and `owner` are null unless it registered itself."""
    lease = module.leases.get(host)
    return {
        "host": str(host),
        "ip": format_ip(host.ip),
        "port": host.port,
        "ttl": lease.ttl if lease else None,
        "owner": lease.owner if lease else None,
    }


def as_module(module: Module) -> dict[str, object]:
    """A module with its hosts."""
    return {
        **module.id._asdict(),
        "modid_name": module.modid_name,
        "cmdid_name": module.cmdid_name,
        "hosts": [as_host(module, host) for host in module.hosts],
    }


def as_edited(done: EditDone) -> dict[str, object]:
    """What an edit changed."""
    changes = [
        {**c.module._asdict(), "added": list(map(str, c.added)), "removed": list(map(str, c.removed))}
        for c in done.changed
    ]
    return {"version": done.version, "changed": changes}


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
