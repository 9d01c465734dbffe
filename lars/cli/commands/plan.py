"""`lars plan`: how many services a fleet needs, and what grows full first."""

from dataclasses import asdict
from typing import Any

import click

from lars.cli.arguments import json_option
from lars.cli.plan import Fleet, Need, Plan
from lars.cli.plan import plan as planned
from lars.cli.terminal.output import print_json, print_table

_COUNT = click.IntRange(1, 1_000_000_000)
_PER_AGENT = click.IntRange(0, 100_000)


@click.command()
@click.option("--agents", type=_COUNT, required=True, help="Machines with an agent.")
@click.option("--modules", type=_COUNT, required=True, help="Modules that have a route.")
@click.option("--hosts", type=_COUNT, required=True, help="Hosts in all routes together.")
@click.option(
    "--changes-per-minute", type=click.FloatRange(0, 1_000_000), required=True, help="Edits, each of one module."
)
@click.option("--modules-per-agent", type=_PER_AGENT, default=20, show_default=True, help="Modules that one asks for.")
@click.option(
    "--called-modules", type=_PER_AGENT, default=2, show_default=True, help="Of these, called in one report interval."
)
@click.option(
    "--called-hosts", type=_PER_AGENT, default=10, show_default=True, help="Hosts called in one report interval."
)
@click.option(
    "--report-interval",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    help="As in the agents' conf.",
)
@click.option("--database-cores", type=click.IntRange(1, 1024), default=16, show_default=True, help="Of one node.")
@click.option("--history-days", type=click.FloatRange(0, 3650), default=7.0, show_default=True, help="Kept history.")
@json_option
def plan(as_json: bool, **fleet: Any) -> None:
    """Compute how many services a fleet needs, and of which size, from what each thing was measured to cost.

    Asks nothing of any service. Of lars-dns and lars-reporter, one more than needed is counted, which may fail.

    \b
    Example:
      lars plan --agents 1000000 --modules 5000 --hosts 200000 --changes-per-minute 600
    """
    result = planned(Fleet(**fleet))
    if as_json:
        print_json(asdict(result))
        return
    columns = ["SERVICE", "INSTANCES", "DECIDED BY", "MEMORY MIB", "CORES", "MBIT/S"]
    print_table(columns, [_row(need) for need in result.needs])
    for line in _lines(result):
        click.echo(line)


def _row(need: Need) -> tuple[str, int, str, int, float, float]:
    """Memory, cores and traffic are those of one instance."""
    return (
        need.service,
        need.instances,
        need.limit,
        round(need.memory_mib),
        round(need.cores, 2),
        round(need.megabits, 1),
    )


def _lines(result: Plan) -> list[str]:
    full = result.bottleneck
    rates = f"{result.pushes:,.0f} pushes/s, {result.reports:,.0f} reports/s with {result.results:,.0f} results/s"
    return [
        f"{rates}, {result.rows:,.0f} rows/s",
        f"each database node: {result.disk_gib:,.0f} GiB on its disk",
        f"a lars-dns that dies costs each other {result.reconnect_seconds:.2f} s of CPU until its agents are served",
        f"full first: {full.what}, at {full.share * 100:,.0f} % of what is advised; it carries {full.agents:,} agents",
        f"what moves it: {full.remedy}",
    ]
