"""`lars top`: the local agent's modules and hosts, their states and rates, as it balances."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lars.cli.agent_client import agent_option
from lars.cli.arguments import NumbersCommand, json_option, optional_module_arguments
from lars.cli.terminal.output import print_json, print_table
from lars.client.address import AgentAddress
from lars.client.agent_inspect import COUNT_BITS, HostSnapshot, list_hosts
from lars.route import HostAddress, ModuleId, module_id

TIMEOUT = 1.0
"""Seconds that the agent has to answer."""

Key = tuple[ModuleId, HostAddress]


@dataclass(frozen=True, slots=True)
class Rate:
    """One host over the last interval; calls and failures a second, None before there was an interval."""

    seen: HostSnapshot
    calls: float | None
    failed: float | None


def rates(before: Mapping[Key, HostSnapshot], now: Sequence[HostSnapshot], seconds: float) -> list[Rate]:
    """How often each host was called since `before`; hosts set aside first, then the busiest."""
    found = []
    for seen in now:
        old = before.get((seen.module, seen.address))
        if old is None or seconds <= 0:
            found.append(Rate(seen, None, None))
            continue
        succ, err = (seen.succ - old.succ & COUNT_BITS) / seconds, (seen.err - old.err & COUNT_BITS) / seconds
        found.append(Rate(seen, succ + err, err))
    return sorted(found, key=lambda rate: (not rate.seen.overloaded, -(rate.calls or 0), rate.seen.module))


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option("--interval", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between looks.")
@click.option("--count", type=click.IntRange(1), help="End after so many looks; without a terminal, 2.")
@agent_option
@json_option
def top(
    modid: int | None, cmdid: int | None, interval: float, count: int | None, agent: AgentAddress, as_json: bool
) -> None:
    """Watch the local agent: its modules' hosts, which are set aside, and how often each is called and fails.

    The rates are those that business processes report; hosts that are set aside stand first. Ctrl-C ends it.

    \b
    Examples:
      lars top
      lars top 1 1 --interval 5
      lars top --count 2 --json
    """
    if modid is not None and cmdid is not None:
        module_id(modid, cmdid)
    console = Console()
    watch = _Watch(agent, modid, cmdid)
    if as_json or not console.is_terminal:
        for _ in range((count or 2) - 1):
            watch.look()
            time.sleep(interval)
        _print(watch.look(), as_json)
        return
    with Live(console=console, auto_refresh=False, screen=count is None) as live:
        looks = 0
        while count is None or looks < count:
            if looks:
                time.sleep(interval)
            live.update(drawn(watch.look(), agent, console.height), refresh=True)
            looks += 1


class _Watch:
    """What was seen last, so that the next look gives rates."""

    def __init__(self, agent: AgentAddress, modid: int | None, cmdid: int | None) -> None:
        self._agent = agent
        self._modid = modid
        self._cmdid = cmdid
        self._before: dict[Key, HostSnapshot] = {}
        self._at = 0.0

    def look(self) -> list[Rate]:
        seen = [host for host in list_hosts(self._agent, TIMEOUT) if self._wanted(host.module)]
        now = time.monotonic()
        found = rates(self._before, seen, now - self._at)
        self._before, self._at = {(host.module, host.address): host for host in seen}, now
        return found

    def _wanted(self, module: ModuleId) -> bool:
        return self._modid in (None, module.modid) and self._cmdid in (None, module.cmdid)


def _print(found: Sequence[Rate], as_json: bool) -> None:
    if as_json:
        print_json(
            [
                {
                    **rate.seen.module._asdict(),
                    "host": str(rate.seen.address),
                    "state": _state(rate),
                    "calls_per_s": rate.calls,
                    "failed_per_s": rate.failed,
                    "succ": rate.seen.succ,
                    "err": rate.seen.err,
                }
                for rate in found
            ]
        )
        return
    print_table(
        ["MODULE", "HOST", "STATE", "CALLS/S", "FAILED/S", "SUCC", "ERR"],
        [
            (str(s.module), str(s.address), _state(rate), _rate(rate.calls), _rate(rate.failed), s.succ, s.err)
            for rate in found
            for s in [rate.seen]
        ],
    )


def drawn(found: Sequence[Rate], agent: AgentAddress, height: int) -> Table:
    """The table for a terminal of so many lines; what does not fit is counted below it."""
    calls, failed = sum(r.calls or 0 for r in found), sum(r.failed or 0 for r in found)
    aside, modules = sum(r.seen.overloaded for r in found), len({r.seen.module for r in found})
    table = Table(
        title=f"agent {agent}   {modules} modules   {len(found)} hosts, {aside} set aside   "
        f"{calls:,.0f} calls/s, {failed:,.0f} failed",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
    )
    for name in ("MODULE", "HOST", "STATE"):
        table.add_column(name, no_wrap=True)
    for name in ("CALLS/S", "FAILED/S", "SUCC", "ERR"):
        table.add_column(name, justify="right", no_wrap=True)
    room = max(3, height - 4)
    for rate in found[:room]:
        seen = rate.seen
        state = Text(_state(rate), style="yellow" if seen.overloaded else "green")
        errors = Text(_rate(rate.failed), style="red" if rate.failed else "")
        counts = f"{seen.succ:,}", f"{seen.err:,}"
        table.add_row(str(seen.module), str(seen.address), state, _rate(rate.calls), errors, *counts)
    if len(found) > room:
        table.caption = f"and {len(found) - room} more: name a module to see it"
    elif not found:
        table.caption = "nobody has asked this agent for a module yet"
    return table


def _state(rate: Rate) -> str:
    return "set aside" if rate.seen.overloaded else "in rotation"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
