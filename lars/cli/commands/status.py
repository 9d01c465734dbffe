"""`lars status`: how recent calls to each host went, and who sees which hosts as ejected; once, or repeatedly."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import click

from lars.cli.arguments import NumbersCommand, check_optional, db_option, json_option, optional_module_arguments
from lars.cli.database import run_with_database
from lars.cli.terminal import caller_views
from lars.cli.terminal.caller_views import caller_cells, caller_json, duration, state_with_reason
from lars.cli.terminal.host_state import EJECTED, UNHEALTHY, host_state
from lars.cli.terminal.output import json_text, table_text
from lars.cli.terminal.watch import show_repeatedly
from lars.db.callers import MOST, CallerStore, CallerView
from lars.db.clock import MAX_SKEW
from lars.db.database import Database
from lars.db.reports import HostSeenBy, HostStatus, ReportStore
from lars.db.url import DatabaseUrl
from lars.host_condition import Condition
from lars.host_record import DEFAULT_WEIGHT, HostRecord
from lars.route import HostAddress, ModuleId, format_ip

_MINUTES = click.IntRange(1, 366 * 24 * 60)

NO_HISTORY = "~: what the callers reported last, not the calls of the period: a C++ reporter keeps no history"

LAST_REPORTS = "~: of the caller's last report; its agent is a C++ one or an older one. Others: of the last minute"

CUT = f"the first {MOST:,} rows, those of hosts that are not healthy first; name a module to see others"

ORDERS: dict[str, Callable[[HostStatus], Any]] = {
    "module": lambda host: (),
    "errors": lambda host: (-host.err / max(1, host.succ + host.err), -host.err),
    "calls": lambda host: -(host.succ + host.err),
}
"""What --sort may say, and the key of each; hosts of one key stay ordered by module and address."""

COLUMNS = ["MODID", "CMDID", "HOST", "STATE", "SUCC", "ERR", "ERR%", "CALLERS", "LAST REPORT"]


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option("--minutes", type=_MINUTES, default=10, show_default=True, help="Count the calls of this many minutes.")
@click.option("--by", type=click.Choice(["host", "caller"]), default="host", show_default=True, help="A row for each.")
@click.option("--bad", is_flag=True, help="Only hosts that are ejected, or that failed more than 1 % of their calls.")
@click.option("--sort", type=click.Choice(list(ORDERS)), default="module", show_default=True, help="What comes first.")
@click.option("--watch", is_flag=True, help="Refresh every --interval seconds, until Ctrl-C.")
@click.option(
    "--interval", type=click.FloatRange(0.1, 3600), default=2.0, show_default=True, help="Seconds, for --watch."
)
@db_option
@json_option
def status(
    modid: int | None,
    cmdid: int | None,
    minutes: int,
    by: str,
    bad: bool,
    sort: str,
    watch: bool,
    interval: float,
    url: DatabaseUrl,
    as_json: bool,
) -> None:
    """Show how calls to each host went, of all modules, of those of one MODID, or of one module.

    A host is healthy, ejected, unhealthy (its health checks fail) or warming up, with the reason; "ejected by 1 of 2"
    means by one of two callers, which --by caller names. It is stale if no caller has reported on it for three
    minutes. "draining" and "weight" are as operators have set them. Where hosts have
    zones, a line a module says how much of its calls each zone got. "~" marks the latest reports instead of the
    calls of the period, where a C++ reporter keeps no history. Times are by the database's clock; agents whose
    clock is off are named below.

    \b
    Examples:
      lars status
      lars status --bad --sort errors
      lars status 1 1 --minutes 60 --json
      lars status 1 --watch --interval 1
      lars status 1 1 --by caller
    """
    check_optional(modid, cmdid)

    async def text_and_note(database: Database) -> tuple[str, str]:
        store = ReportStore(database)
        now, skews = await store.clocks(MAX_SKEW)
        if by == "caller":
            views = await CallerStore(database).views(modid, cmdid)
            return by_caller(views, now, as_json)
        every = await store.status(modid, cmdid, int(now) - 60 * minutes, now)
        hosts = sorted((host for host in every if not bad or is_bad(host)), key=ORDERS[sort])
        if as_json:
            return json_text([_object(host) for host in hosts]), ""
        table = table_text(COLUMNS, [_row(host, now) for host in hosts])
        note = NO_HISTORY if any(host.latest for host in hosts) else ""
        return "\n".join(
            [table, *zone_lines(every), *_drains(hosts), *(_skewed(caller, skew) for caller, skew in skews.items())]
        ), note

    async def frame(database: Database) -> str:
        return "\n".join(filter(None, await text_and_note(database)))

    if watch:
        run_with_database(url, lambda database: show_repeatedly(database, frame, interval))
        return
    text, note = run_with_database(url, text_and_note)
    click.echo(text)
    if note:
        click.echo(note, err=True)


def by_caller(views: Sequence[CallerView], now: float, as_json: bool) -> tuple[str, str]:
    """What --by caller prints, and a note."""
    if as_json:
        return json_text([caller_json(view) for view in views]), ""
    note = CUT if len(views) == MOST else LAST_REPORTS if any(not view.period for view in views) else ""
    return table_text(caller_views.COLUMNS, [caller_cells(view, now) for view in views]), note


def state(host: HostStatus) -> str:
    """The state of a host as reported recently; "stale" without reports.

    It is ejected or unhealthy if one caller says so. A host that an operator is draining is draining, whatever the
    callers say.
    """
    if host.record.draining:
        return "draining"
    if not host.callers:
        return "stale"
    view = _view(host)
    return view.condition.word if view is not None else host_state(bool(host.overloaded_at))


def _view(host: HostStatus) -> HostSeenBy | None:
    """The state that most callers see in which it takes no calls, or warms up; None if its callers do not say."""
    wanted = (Condition.EJECTED, Condition.UNHEALTHY) if host.overloaded_at else (Condition.WARMING_UP,)
    return next((view for view in host.seen if view.condition in wanted), None)


def is_bad(host: HostStatus) -> bool:
    """Whether some caller has ejected the host, or it failed more than 1 % of its calls, as in the console."""
    return state(host) == EJECTED or host.err * 100 > host.succ + host.err


def zone_lines(hosts: Iterable[HostStatus]) -> list[str]:
    """The share of the calls of each module that each zone got, a line for a module whose hosts have zones."""
    calls: dict[ModuleId, Counter[str]] = defaultdict(Counter)
    for host in hosts:
        calls[ModuleId(host.modid, host.cmdid)][host.record.zone] += host.succ + host.err
    return [f"Zones of {module}: {_shares(zones)}" for module, zones in calls.items() if any(zones) and zones.total()]


def _drains(hosts: Iterable[HostStatus]) -> list[str]:
    drained = [host for host in hosts if host.record.draining]
    return [
        f"{HostAddress(h.ip, h.port)} of {ModuleId(h.modid, h.cmdid)} is drained{_until(h.record)}" for h in drained
    ]


def _until(record: HostRecord) -> str:
    end = record.drained_until
    until = f" until {datetime.fromtimestamp(end).astimezone():%Y-%m-%d %H:%M %Z}" if end else ""
    return until + (f": {record.drain_reason}" if record.drain_reason else "")


def _shares(zones: Counter[str]) -> str:
    total = sum(zones.values())
    return ", ".join(f"{zone or 'none'} {count / total:.1%}" for zone, count in sorted(zones.items()) if count)


def _skewed(caller: int, skew: int) -> str:
    way = "ahead" if skew > 0 else "behind"
    return f"The clock of agent {format_ip(caller)} is {abs(skew)} s {way}: set it by NTP."


def _object(host: HostStatus) -> dict[str, object]:
    shown = {f.name: getattr(host, f.name) for f in fields(host) if f.name not in ("record", "seen")}
    view = _view(host)
    why = {"reason": view.reason if view is not None else "", "since": view.since if view is not None else None}
    record = {"weight": host.record.weight, "zone": host.record.zone}
    return {**shown, "ip": format_ip(host.ip), "state": state(host), **why, **record}


def _row(host: HostStatus, now: float) -> tuple[object, ...]:
    word = state(host)
    view = _view(host)
    if word in (EJECTED, UNHEALTHY) and host.callers > 1:
        word += f" by {host.overloaded_at} of {host.callers}"
    if view is not None and word != "draining":
        word = state_with_reason(word, view.reason)
    if host.record.weight not in (0, DEFAULT_WEIGHT):
        word += f", weight {host.record.weight}"
    calls = host.succ + host.err
    errors = round(100 * host.err / calls, 1) if calls else 0.0
    module = (host.modid, host.cmdid, HostAddress(host.ip, host.port))
    succ = f"~{host.succ}" if host.latest else host.succ
    return (*module, word, succ, host.err, errors, host.callers, _ago(host.last_report, now))


def _ago(then: int, now: float) -> str:
    """How long ago a time in Unix seconds was."""
    if not then:
        return "never"
    return f"{duration(now - then)} ago"
