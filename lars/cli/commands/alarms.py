"""`lars alarms`: the active alarms, and those that cleared recently."""

from datetime import datetime

import click

from lars.cli.arguments import db_option, json_option
from lars.cli.database import run_with_database
from lars.cli.terminal.output import print_json, print_table
from lars.db.alarms import POSTED, WAITING, Alarm, AlarmStore
from lars.db.database import Database
from lars.db.measurements import Subject
from lars.db.url import DatabaseUrl
from lars.route import HostAddress, ModuleId, format_ip

HOSTS_KEPT = "hosts_kept"
"""The alarms of lars-web, which have no webhook of their own; a rule of lars-reporter may post them."""

COLUMNS = ["ID", "RULE", "ABOUT", "RAISED", "CLEARED", "WEBHOOK", "WHAT IS WRONG"]


@click.command()
@click.option(
    "--hours",
    type=click.FloatRange(0, 24 * 366),
    default=0.0,
    help="Also list those cleared within this many hours.",
)
@db_option
@json_option
def alarms(hours: float, url: DatabaseUrl, as_json: bool) -> None:
    """List the active alarms.

    The rules are in the conf file of lars-reporter, one [alarm NAME] section each.

    \b
    Examples:
      lars alarms
      lars alarms --hours 24 --json
    """

    async def show(database: Database) -> None:
        now = await database.read("read the clock", lambda txn: txn.now())
        found = await AlarmStore(database).alarms(int(now - 3600 * hours) if hours else None)
        if as_json:
            print_json([_object(alarm) for alarm in found])
        else:
            print_table(COLUMNS, [_row(alarm) for alarm in found])

    run_with_database(url, show)


def about(subject: Subject, module_name: str = "") -> str:
    """The subject of an alarm as text: "(1, 1) shop / pay 10.0.0.5:8080"."""
    parts = []
    if subject.modid or subject.cmdid:
        parts.append(f"{ModuleId(subject.modid, subject.cmdid)} {module_name}".rstrip())
    if subject.port:
        parts.append(str(HostAddress(subject.ip, subject.port)))
    if subject.caller:
        parts.append(f"caller {format_ip(subject.caller)}")
    return " ".join(parts)


def _row(alarm: Alarm) -> tuple[object, ...]:
    times = _moment(alarm.raised_at), _moment(alarm.cleared_at) if alarm.cleared_at else "-"
    latest = alarm.text_now or alarm.text
    return alarm.id, alarm.rule, about(alarm.subject, alarm.module_name), *times, _webhook_state(alarm), latest


def _webhook_state(alarm: Alarm) -> str:
    """Whether the webhook was posted."""
    outcome = alarm.clear_told if alarm.cleared_at else alarm.raise_told
    if not alarm.webhook and (outcome == WAITING or alarm.what != HOSTS_KEPT):
        return "none"
    return "posted" if outcome == POSTED else "waiting" if outcome == WAITING else "given up"


def _object(alarm: Alarm) -> dict[str, object]:
    subject = alarm.subject
    return {
        "id": alarm.id,
        "rule": alarm.rule,
        "what": alarm.what,
        "modid": subject.modid,
        "cmdid": subject.cmdid,
        "host": str(HostAddress(subject.ip, subject.port)) if subject.port else None,
        "caller": format_ip(subject.caller) if subject.caller else None,
        "module": alarm.module_name,
        "text": alarm.text,
        "text_now": alarm.text_now or alarm.text,
        "raised_at": alarm.raised_at,
        "cleared_at": alarm.cleared_at or None,
        "clear_reason": alarm.clear_reason,
        "webhook": _webhook_state(alarm),
    }


def _moment(ts: int) -> str:
    return datetime.fromtimestamp(ts).strftime("%Y-%m-%d %H:%M:%S")
