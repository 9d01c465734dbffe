"""`lars simulate`: a caller whose calls fail at random, to see how the agent balances."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field

import click

from lars.cli.agent import agent_option, truthful_client
from lars.cli.arguments import NumbersCommand, json_option, module_arguments
from lars.cli.output import counted, print_json, print_table
from lars.client import Host, LarsClient, Overloaded
from lars.client.address import AgentAddress


@dataclass(slots=True)
class Simulated:
    """What came of the simulated calls."""

    succ: Counter[Host] = field(default_factory=Counter)
    err: Counter[Host] = field(default_factory=Counter)
    overloaded: int = 0

    def rows(self) -> list[tuple[str, int, int]]:
        """Each host that was called, with its successes and failures."""
        hosts = sorted(self.succ.keys() | self.err.keys(), key=lambda host: host.address)
        return [(str(host), self.succ[host], self.err[host]) for host in hosts]


@click.command(cls=NumbersCommand)
@module_arguments
@click.option("--err-rate", type=click.IntRange(0, 10), default=2, show_default=True, help="Failures in ten calls.")
@click.option("--count", type=click.IntRange(1), default=100, show_default=True, help="How many calls.")
@click.option(
    "--interval", type=click.FloatRange(0, 3_600_000), default=6, show_default=True, help="Milliseconds between calls."
)
@agent_option
@json_option
def simulate(
    modid: int, cmdid: int, err_rate: int, count: int, interval: float, agent: AgentAddress, as_json: bool
) -> None:
    """Play a caller of module (MODID, CMDID): ask for a host, pretend to call it, and report how it went.

    No host is really called: each call fails with a chance of --err-rate in ten. The agent counts the reports as any
    other, so use a module that nobody needs.

    \b
    Example:
      lars simulate 1 1 --err-rate 5 --count 1000
    """
    simulated = Simulated()
    with truthful_client(agent) as client:
        client.register(modid, cmdid)
        for call in range(count):
            if call:
                time.sleep(interval / 1000)
            _call(client, modid, cmdid, err_rate, simulated)
    if as_json:
        hosts = [{"host": host, "succ": succ, "err": err} for host, succ, err in simulated.rows()]
        print_json({"hosts": hosts, "overloaded": simulated.overloaded})
    else:
        print_table(["HOST", "SUCC", "ERR"], simulated.rows())
        click.echo(f"{counted(count, 'call')}: {simulated.overloaded} refused because every host was overloaded")


def _call(client: LarsClient, modid: int, cmdid: int, err_rate: int, simulated: Simulated) -> None:
    try:
        host = client.get_host(modid, cmdid)
    except Overloaded:
        simulated.overloaded += 1
        return
    failed = random.randrange(10) < err_rate
    client.report(host, int(failed))
    (simulated.err if failed else simulated.succ)[host] += 1
