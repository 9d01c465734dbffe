"""`lars history`: how calls to each host went, minute by minute, as bars or numbers."""

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime

import click

from lars.cli.arguments import NumbersCommand, check_optional, db_option, json_option, optional_module_arguments
from lars.cli.database import run_with_database
from lars.cli.terminal.output import print_json, print_table
from lars.cli.terminal.sparkline import bars_for, sparkline, summed
from lars.db.clock import MAX_SKEW
from lars.db.database import Database
from lars.db.reports import HostHistory, ReportStore
from lars.db.url import DatabaseUrl
from lars.route import format_ip

MOST_BARS, FEWEST_BARS = 60, 8
"""Bars in a row; in longer periods, and where the terminal is narrow, a bar is several minutes."""

NUMBERS = ("MODID", "CMDID", "HOST", "SUCC", "ERR", "ERR%")

_MINUTES = click.IntRange(1, 366 * 24 * 60)


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option("--minutes", type=_MINUTES, default=60, show_default=True, help="How far back.")
@click.option("--table", "as_table", is_flag=True, help="Print numbers, a row for each minute and host.")
@db_option
@json_option
def history(
    modid: int | None, cmdid: int | None, minutes: int, as_table: bool, url: DatabaseUrl, as_json: bool
) -> None:
    """Show the calls to each host over time, of all modules, of those of one MODID, or of one module.

    A bar is a minute, or several if there are more than 60 or the terminal is narrow; the last one has the current
    minute. CALLS is relative to the host's busiest bar; in ERRORS a full bar means that every call failed; a blank
    means no calls. "~" marks numbers derived from the running counters of C++ agents.

    \b
    Examples:
      lars history 1 1
      lars history 1 1 --minutes 15 --table
    """
    check_optional(modid, cmdid)

    async def read(database: Database) -> tuple[list[HostHistory], range, bool]:
        store = ReportStore(database)
        now, _skews = await store.clocks(MAX_SKEW)
        last = int(now) // 60 * 60
        shown = range(last - 60 * (minutes - 1), last + 60, 60)
        hosts = await store.history(modid, cmdid, shown.start)
        latest = [] if hosts else await store.status(modid, cmdid, shown.start, now)
        return hosts, shown, any(host.latest for host in latest)

    hosts, minutes_shown, only_latest = run_with_database(url, read)
    if only_latest:
        click.echo("no history: a C++ reporter keeps none; `lars status` shows its latest reports", err=True)
    if as_json:
        print_json([_object(host) for host in hosts])
    elif as_table:
        rows = [row for host in hosts for row in _minute_rows(host)]
        print_table(["MINUTE", "MODID", "CMDID", "HOST", "SUCC", "ERR", "ERR%"], sorted(rows, key=_minute))
    else:
        numbers = [_numbers(host) for host in hosts]
        bars = bars_that_fit([NUMBERS, *numbers], shutil.get_terminal_size().columns if sys.stdout.isatty() else None)
        drawn = [(*row, *_bars(host, minutes_shown, bars)) for row, host in zip(numbers, hosts, strict=True)]
        print_table([*NUMBERS, "CALLS", "ERRORS"], drawn, fold=False)


def _object(host: HostHistory) -> dict[str, object]:
    return {
        "modid": host.module.modid,
        "cmdid": host.module.cmdid,
        "ip": format_ip(host.host.ip),
        "port": host.host.port,
        "minutes": [
            {"minute": minute, "succ": calls.succ, "err": calls.err, "approximate": calls.approximate}
            for minute, calls in host.minutes.items()
        ],
    }


def _minute_rows(host: HostHistory) -> list[tuple[str, int, int, str, str, int, float]]:
    return [
        (
            datetime.fromtimestamp(minute).strftime("%Y-%m-%d %H:%M"),
            *host.module,
            str(host.host),
            f"{'~' if calls.approximate else ''}{calls.succ}",
            calls.err,
            _percent(calls.succ, calls.err),
        )
        for minute, calls in host.minutes.items()
    ]


def _minute(row: Sequence[object]) -> str:
    return str(row[0])


def bars_that_fit(rows: Sequence[Sequence[object]], columns: int | None) -> int:
    """How many bars each of the two bar charts may have so that no line of the table wraps.

    Args:
        rows: the other cells of each row, with their names.
        columns: of the terminal, or None if there is none.
    """
    if columns is None:
        return MOST_BARS
    widths = [max(len(str(cell)) for cell in cells) for cells in zip(*rows, strict=True)]
    between = 2
    room = columns - sum(width + between for width in widths) - between
    return max(FEWEST_BARS, min(MOST_BARS, room // 2))


def _numbers(host: HostHistory) -> tuple[object, ...]:
    succ, err = sum(m.succ for m in host.minutes.values()), sum(m.err for m in host.minutes.values())
    about = "~" if any(m.approximate for m in host.minutes.values()) else ""
    return (*host.module, host.host, f"{about}{succ}" if about else succ, err, _percent(succ, err))


def _bars(host: HostHistory, minutes: Sequence[int], most: int) -> tuple[str, str]:
    of_minute = [host.minutes.get(minute) for minute in minutes]
    calls = summed([m and m.succ + m.err for m in of_minute], most)
    errors = summed([m and m.err for m in of_minute], most)
    rates = [None if not all_ else (failed or 0) / all_ for all_, failed in zip(calls, errors, strict=True)]
    characters = bars_for(sys.stdout.encoding)
    return sparkline(calls, bars=characters), sparkline(rates, 1.0, characters)


def _percent(succ: int, err: int) -> float:
    return round(100 * err / (succ + err), 1) if succ + err else 0.0
