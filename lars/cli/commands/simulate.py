"""`lars simulate`: a caller whose calls fail at random, to show how the agent balances."""

import random
import time
from collections import Counter, deque
from contextlib import nullcontext
from dataclasses import dataclass, field

import click

from lars.cli.agent_client import agent_option, uncached_client
from lars.cli.arguments import HOST, NumbersCommand, json_option, module_arguments
from lars.cli.terminal.live_table import HostRow, LiveTable
from lars.cli.terminal.output import print_json, print_table
from lars.client import AgentUnavailable, Host, LarsClient, Overloaded
from lars.client.address import AgentAddress
from lars.client.agent_inspect import list_hosts
from lars.route import HostAddress, ModuleId
from lars.wording import counted

RECENT = 200
"""The last calls, whose shares the table shows."""

REFRESH = 0.25
"""Seconds between two updates of the table."""


@dataclass(slots=True)
class Simulated:
    """The results of the simulated calls."""

    succ: Counter[HostAddress] = field(default_factory=Counter)
    err: Counter[HostAddress] = field(default_factory=Counter)
    recent: deque[HostAddress] = field(default_factory=lambda: deque(maxlen=RECENT))
    overloaded: int = 0
    calls: int = 0

    def count(self, host: Host, failed: bool) -> None:
        """Counts one call."""
        self.recent.append(host.address)
        (self.err if failed else self.succ)[host.address] += 1

    def hosts(self) -> list[HostAddress]:
        """The hosts that were called, in order."""
        return sorted(self.succ.keys() | self.err.keys())

    def rows(self, ejected: dict[HostAddress, bool]) -> list[HostRow]:
        """A row for each host of the route and each that was called."""
        shares = Counter(self.recent)
        return [
            HostRow(
                str(address),
                shares[address] / max(1, len(self.recent)),
                self.succ[address],
                self.err[address],
                ejected.get(address),
            )
            for address in sorted({*ejected, *self.hosts()})
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which calls fail: `err_rate` in ten at random and, after `after` calls, every call to the host `down`."""

    err_rate: int
    down: HostAddress | None
    after: int

    def fails(self, host: Host, call: int) -> bool:
        """Whether a call fails, given its number from 0."""
        return (host.address == self.down and call >= self.after) or random.randrange(10) < self.err_rate


@click.command(cls=NumbersCommand)
@module_arguments
@click.option("--err-rate", type=click.IntRange(0, 10), default=2, show_default=True, help="Failures in ten calls.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="Number of calls.")
@click.option(
    "--interval", type=click.FloatRange(0, 3_600_000), default=6, show_default=True, help="Milliseconds between calls."
)
@click.option("--down", metavar="IP:PORT", type=HOST, help="A host that fails every call.")
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Calls before --down fails.")
@agent_option
@json_option
def simulate(
    modid: int,
    cmdid: int,
    err_rate: int,
    count: int,
    interval: float,
    down: HostAddress | None,
    after: int,
    agent: AgentAddress,
    as_json: bool,
) -> None:
    """Simulate a caller of module (MODID, CMDID): ask for a host, pretend to call it, and report the result.

    No host is really called: each call fails with a chance of --err-rate in ten, and every call to the host --down
    after the first --after calls. A terminal shows each host's share and state while the command runs. The agent
    counts the reports like any others, so use a module that is not in production.

    \b
    Examples:
      lars simulate 1 1 --err-rate 5 --count 1000
      lars simulate 1 1 --err-rate 0 --count 2000 --down 10.0.0.5:8080 --after 500
    """
    if after and down is None:
        raise click.UsageError("--after needs a host that fails: give it with --down IP:PORT")
    simulated = Simulated()
    plan = Plan(err_rate, down, after)
    with uncached_client(agent) as client:
        client.register(modid, cmdid)
        if down is not None and down not in {host.address for host in client.get_route(modid, cmdid)}:
            raise click.UsageError(f"{down} is no host of module {ModuleId(modid, cmdid)}")
        _run(client, ModuleId(modid, cmdid), plan, count, interval / 1000, agent, simulated)
    if as_json:
        hosts = [{"host": str(a), "succ": simulated.succ[a], "err": simulated.err[a]} for a in simulated.hosts()]
        print_json({"hosts": hosts, "overloaded": simulated.overloaded})
    else:
        print_table(["HOST", "SUCC", "ERR"], [(str(a), simulated.succ[a], simulated.err[a]) for a in simulated.hosts()])
        click.echo(f"{counted(count, 'call')}: {simulated.overloaded} refused because every host was ejected")


def _run(
    client: LarsClient,
    module: ModuleId,
    plan: Plan,
    count: int,
    pause: float,
    agent: AgentAddress,
    simulated: Simulated,
) -> None:
    table = LiveTable.for_terminal(f"module {module}, {counted(count, 'call')}")
    with table or nullcontext():
        next_refresh = 0.0
        for number in range(count):
            if number:
                time.sleep(pause)
            _call(client, module, plan, number, simulated)
            if table is not None and time.monotonic() >= next_refresh:
                table.show(simulated.rows(_ejected(agent, module)), simulated.calls, simulated.overloaded)
                next_refresh = time.monotonic() + REFRESH
        if table is not None:
            table.show(simulated.rows(_ejected(agent, module)), simulated.calls, simulated.overloaded)


def _ejected(agent: AgentAddress, module: ModuleId) -> dict[HostAddress, bool]:
    """Whether each host is ejected; empty if the agent cannot list its modules."""
    try:
        return {seen.address: seen.overloaded for seen in list_hosts(agent, 0.2) if seen.module == module}
    except AgentUnavailable:
        return {}


def _call(client: LarsClient, module: ModuleId, plan: Plan, number: int, simulated: Simulated) -> None:
    simulated.calls += 1
    try:
        host = client.get_host(*module)
    except Overloaded:
        simulated.overloaded += 1
        return
    failed = plan.fails(host, number)
    client.report(host, int(failed))
    simulated.count(host, failed)
