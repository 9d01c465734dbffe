"""`lars top`: the modules and hosts of the local agent, their states, rates and evidence, refreshed."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lars.balancing.host import HostExplanation
from lars.cli.agent_client import agent_option
from lars.cli.arguments import NumbersCommand, json_option, optional_module_arguments
from lars.cli.terminal.explained import COLUMNS, explained_cells, explained_json
from lars.cli.terminal.host_state import STATE_STYLE, host_state
from lars.cli.terminal.live_table import one_line
from lars.cli.terminal.output import print_json, print_table
from lars.client.address import AgentAddress
from lars.client.agent_inspect import COUNT_BITS, HostSnapshot, explain_modules, list_hosts
from lars.client.errors import AgentUnavailable
from lars.route import HostAddress, ModuleId, module_id
from lars.wording import counted

TIMEOUT = 1.0
"""Seconds until an unanswered query fails."""

Key = tuple[ModuleId, HostAddress]


EXPLAINED_MODULES = 100
"""Modules that the agent is asked to explain in one refresh, at most: those listed first."""

NAMES, COUNTS = ("MODULE", "HOST", "STATE", "CALLS/S", "FAILED/S"), ("SUCC", "ERR")
"""The columns that each terminal gets, and those that a narrow one gets if they fit."""

WIDE = 130
"""Columns of a terminal that has room for what the agent knows of each host."""

WIDEST = 190
"""Columns of one that has room for the reasons too."""


@dataclass(frozen=True, slots=True)
class HostRate:
    """One host over the last interval.

    Attributes:
        host: the host as the agent has it.
        calls, failed: calls and failures a second; None before the first interval.
        known: what the agent knows of it and would do; None if the agent was not asked, or is an older one.
    """

    host: HostSnapshot
    calls: float | None
    failed: float | None
    known: HostExplanation | None = None


def rates(before: Mapping[Key, HostSnapshot], now: Sequence[HostSnapshot], seconds: float) -> list[HostRate]:
    """How often each host was called since `before`, `seconds` ago; ejected hosts first, then the busiest."""
    found = []
    for host in now:
        old = before.get((host.module, host.address))
        if old is None or seconds <= 0:
            found.append(HostRate(host, None, None))
            continue
        succ, err = (host.succ - old.succ & COUNT_BITS) / seconds, (host.err - old.err & COUNT_BITS) / seconds
        found.append(HostRate(host, succ + err, err))
    return sorted(found, key=lambda rate: (not rate.host.overloaded, -(rate.calls or 0), rate.host.module))


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option(
    "--interval", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between refreshes."
)
@click.option("--count", type=click.IntRange(1), help="Quit after this many refreshes; without a terminal, 2.")
@agent_option
@json_option
def top(
    modid: int | None, cmdid: int | None, interval: float, count: int | None, agent: AgentAddress, as_json: bool
) -> None:
    """Watch the local agent: the hosts of its modules, their states, how often each is called and fails, and what the
    agent would do now.

    The rates are those that business processes report. SHARE is the share of the module's calls that a host would get,
    and FAILED counts the recent calls by which it is judged. WHY, on a terminal of 190 columns, and `lars explain` give
    the reason. Hosts that take no calls are listed first.
    Press Ctrl-C to quit.

    \b
    Examples:
      lars top
      lars top 1 1 --interval 5
      lars top --count 2 --json
    """
    if modid is not None and cmdid is not None:
        module_id(modid, cmdid)
    console = Console()
    monitor = _Monitor(agent, modid, cmdid)
    if as_json or not console.is_terminal:
        for _ in range((count or 2) - 1):
            monitor.refresh()
            time.sleep(interval)
        _print(monitor.refresh(), as_json)
        return
    with Live(console=console, auto_refresh=False, screen=count is None) as live:
        refreshes = 0
        while count is None or refreshes < count:
            if refreshes:
                time.sleep(interval)
            live.update(host_table(monitor.refresh(), agent, console.height, console.width), refresh=True)
            refreshes += 1


class _Monitor:
    """Keeps the last snapshot, from which the next one gives rates."""

    def __init__(self, agent: AgentAddress, modid: int | None, cmdid: int | None) -> None:
        self._agent = agent
        self._modid = modid
        self._cmdid = cmdid
        self._before: dict[Key, HostSnapshot] = {}
        self._at = 0.0
        self._explains = True

    def refresh(self) -> list[HostRate]:
        hosts = [host for host in list_hosts(self._agent, TIMEOUT) if self._wanted(host.module)]
        now = time.monotonic()
        found = rates(self._before, hosts, now - self._at)
        self._before, self._at = {(host.module, host.address): host for host in hosts}, now
        return self._explained(found)

    def _explained(self, found: list[HostRate]) -> list[HostRate]:
        """Adds what the agent knows of the hosts of the modules that are listed first."""
        modules = list(dict.fromkeys(rate.host.module for rate in found))[:EXPLAINED_MODULES]
        try:
            explained = explain_modules(self._agent, modules if self._explains else (), TIMEOUT)
        except AgentUnavailable:
            self._explains = False  # an older agent
            return found
        known = {(key, host.address): host for key, module in explained.items() for host in module.hosts}
        return [replace(rate, known=known.get((rate.host.module, rate.host.address))) for rate in found]

    def _wanted(self, module: ModuleId) -> bool:
        return self._modid in (None, module.modid) and self._cmdid in (None, module.cmdid)


def _print(found: Sequence[HostRate], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    **rate.host.module._asdict(),
                    "host": str(rate.host.address),
                    "state": _state(rate),
                    "calls_per_s": rate.calls,
                    "failed_per_s": rate.failed,
                    "succ": rate.host.succ,
                    "err": rate.host.err,
                    **(explained_json(rate.known) if rate.known is not None else {}),
                }
                for rate in found
            ]
        )
        return
    print_table(
        [*NAMES, *COUNTS, *COLUMNS, "WHY"],
        [
            (
                *(str(s.module), str(s.address), _state(rate), _rate(rate.calls), _rate(rate.failed), s.succ, s.err),
                *explained_cells(rate.known),
                _why(rate),
            )
            for rate in found
            for s in [rate.host]
        ],
    )


def host_table(found: Sequence[HostRate], agent: AgentAddress, height: int, width: int) -> RenderableType:
    """The table for a terminal of `height` lines; hosts that do not fit are counted below it.

    A terminal of WIDE columns gets what the agent knows of each host, a narrower one the counts of its calls if they
    fit. No host is cut off at 80 columns, and no line continues on the next one.
    """
    room = max(3, height - 4)
    table = _table(found[:room], width)
    if len(found) > room:
        caption = f"and {len(found) - room} more: give a module to see its hosts"
    else:
        caption = "" if found else "this agent has no modules yet: it pulls one on the first request for it"
    return Group(one_line(_title(found, agent), "bold"), table, *([one_line(caption, "italic")] if caption else []))


def _title(found: Sequence[HostRate], agent: AgentAddress) -> str:
    modules, ejected = len({rate.host.module for rate in found}), sum(rate.host.overloaded for rate in found)
    calls, failed = sum(rate.calls or 0 for rate in found), sum(rate.failed or 0 for rate in found)
    hosts = f"{counted(len(found), 'host')}, {ejected} ejected"
    return f"agent {agent}   {counted(modules, 'module')}   {hosts}   {calls:,.0f} calls/s, {failed:,.0f} failed"


def _table(shown: Sequence[HostRate], width: int) -> Table:
    names = [*NAMES, *(COLUMNS if width >= WIDE else COUNTS)]
    rows = [_cells(rate, wide=width >= WIDE) for rate in shown]
    if width >= WIDEST:
        names, rows = [*names, "WHY"], [(*row, _why(rate)) for rate, row in zip(shown, rows, strict=True)]
    if width < WIDE and sum(max(map(len, cells)) + 2 for cells in zip(names, *rows, strict=True)) > width:
        names, rows = names[: -len(COUNTS)], [row[: -len(COUNTS)] for row in rows]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, justify="left" if name in ("MODULE", "HOST", "STATE", "WHY") else "right", no_wrap=True)
    for rate, row in zip(shown, rows, strict=True):
        module, address, state, calls, failed, *others = row
        state_text, failed_text = (
            Text(state, style=STATE_STYLE[state]),
            Text(failed, style="red" if rate.failed else ""),
        )
        table.add_row(module, address, state_text, calls, failed_text, *others)
    return table


def _cells(rate: HostRate, wide: bool) -> tuple[str, ...]:
    host = rate.host
    others = map(str, explained_cells(rate.known)) if wide else (f"{host.succ:,}", f"{host.err:,}")
    return (str(host.module), str(host.address), _state(rate), _rate(rate.calls), _rate(rate.failed), *others)


def _state(rate: HostRate) -> str:
    return rate.known.condition.word if rate.known is not None else host_state(rate.host.overloaded)


def _why(rate: HostRate) -> str:
    return "-" if rate.known is None else rate.known.why


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
