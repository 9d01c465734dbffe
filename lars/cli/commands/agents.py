"""`lars agents`: which agents report, and the dismissal of those that are retired."""

import click

from lars.cli.actor import actor
from lars.cli.arguments import db_option, json_option, parsed
from lars.cli.database import run_with_database
from lars.cli.group import CommandGroup
from lars.cli.terminal.output import print_json, print_table
from lars.db.agents import Agent, AgentStore
from lars.db.clock import MAX_SKEW
from lars.db.database import Database
from lars.db.reports import STALE_AFTER
from lars.db.url import DatabaseUrl
from lars.route import format_ip, parse_ip

COLUMNS = ["AGENT", "STATE", "LAST REPORT", "CLOCK"]

MOST = 10_000
"""Agents that are listed at most, the longest silent first."""


@click.group(cls=CommandGroup)
def agents() -> None:
    """List the agents that have reported, and dismiss those that are retired."""


@agents.command("list")
@db_option
@json_option
def list_(url: DatabaseUrl, as_json: bool) -> None:
    """List agents, the longest silent first, and whether their clocks are right.

    \b
    Examples:
      lars agents list
      lars agents list --json
    """

    async def show(database: Database) -> None:
        now = await database.read("read the clock", lambda txn: txn.now())
        found = await AgentStore(database).agents(MOST)
        if as_json:
            print_json([{"ip": format_ip(a.ip), "seen_at": a.seen_at, "clock_skew": a.skew} for a in found])
        else:
            print_table(COLUMNS, [_row(agent, int(now)) for agent in found])

    run_with_database(url, show)


@agents.command()
@click.argument("ip", type=parsed(parse_ip), metavar="IP")
@db_option
def dismiss(ip: int, url: DatabaseUrl) -> None:
    """Forget the agent at address IP, which is retired, and clear the alarms about its silence.

    Its calls stay in the history. An agent that reports is refused: stop it first.

    \b
    Example:
      lars agents dismiss 10.0.0.9
    """
    run_with_database(url, lambda database: AgentStore(database).dismiss(actor(), ip))
    click.echo(f"dismissed {format_ip(ip)}")


def _row(agent: Agent, now: int) -> tuple[object, ...]:
    silence = max(0, now - agent.seen_at)
    way = "ahead" if agent.skew > 0 else "behind"
    clock = f"{abs(agent.skew)} s {way}" if abs(agent.skew) >= MAX_SKEW else "right"
    return format_ip(agent.ip), "silent" if silence > STALE_AFTER else "reports", f"{silence} s ago", clock
