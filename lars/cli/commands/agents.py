"""`lars agents`: which agents report, what each says of itself, and the dismissal of those that are retired."""

import click

from lars.cli.actor import actor
from lars.cli.arguments import db_option, json_option, parsed
from lars.cli.commands.agents_follow import follow
from lars.cli.database import run_with_database
from lars.cli.group import CommandGroup
from lars.cli.terminal import caller_views
from lars.cli.terminal.caller_views import caller_cells, caller_json, duration
from lars.cli.terminal.output import print_json, print_table
from lars.db.agents import Agent, AgentStore
from lars.db.callers import CallerStore
from lars.db.clock import MAX_SKEW
from lars.db.database import Database
from lars.db.held_routes import HeldRoute, HeldRouteStore
from lars.db.reports import STALE_AFTER
from lars.db.url import DatabaseUrl
from lars.host_condition import Condition
from lars.route import format_ip, parse_ip

COLUMNS = ["AGENT", "HOSTNAME", "VERSION", "ZONE", "UP", "STATE", "LAST REPORT", "CLOCK"]

MOST = 10_000
"""Agents that are listed at most, the longest silent first."""


@click.group(cls=CommandGroup)
def agents() -> None:
    """List the agents that have reported, show one, follow a change to them, and dismiss those that are retired."""


agents.add_command(follow)


@agents.command("list")
@db_option
@json_option
def list_(url: DatabaseUrl, as_json: bool) -> None:
    """List agents, the longest silent first: who they are, and whether their clocks are right.

    What C++ agents and older ones do not say is shown as "-".

    \b
    Examples:
      lars agents list
      lars agents list --json
    """

    async def show(database: Database) -> None:
        now = await database.read("read the clock", lambda txn: txn.now())
        found = await AgentStore(database).agents(MOST)
        if as_json:
            print_json([agent_json(agent) for agent in found])
        else:
            print_table(COLUMNS, [_row(agent, int(now)) for agent in found])

    run_with_database(url, show)


@agents.command()
@click.argument("ip", type=parsed(parse_ip), metavar="IP")
@db_option
@json_option
def show(ip: int, url: DatabaseUrl, as_json: bool) -> None:
    """Show what the agent at address IP says of itself, which routes it holds, and which hosts it sees as not healthy.

    BEHIND marks a route that has changed since the agent was sent it.

    \b
    Examples:
      lars agents show 10.0.0.9
      lars agents show 10.0.0.9 --json
    """

    async def print_agent(database: Database) -> None:
        now = await database.read("read the clock", lambda txn: txn.now())
        agent = await AgentStore(database).agent(ip)
        routes = await HeldRouteStore(database).of_agent(ip, MOST)
        views = [v for v in await CallerStore(database).views_of(ip) if v.condition is not Condition.HEALTHY]
        if as_json:
            hosts = [caller_json(view) for view in views]
            print_json({**agent_json(agent), "routes": [_route_json(route) for route in routes], "hosts": hosts})
            return
        click.echo("\n".join(_described(agent, int(now))))
        if routes:
            click.echo("\nRoutes")
            print_table(["MODID", "CMDID", "VERSION", ""], [_route_row(route) for route in routes])
        if views:
            click.echo("\nHosts that are not healthy")
            print_table(caller_views.COLUMNS, [caller_cells(view, now) for view in views])

    run_with_database(url, print_agent)


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
    facts = agent.facts
    up = duration(now - facts.started_at) if facts.started_at and silence <= STALE_AFTER else "-"
    state = "silent" if silence > STALE_AFTER else "reports"
    names = (facts.hostname or "-", facts.version or "-", facts.zone or "-")
    return format_ip(agent.ip), *names, up, state, f"{silence} s ago", clock


def agent_json(agent: Agent) -> dict[str, object]:
    """An agent for --json; times are in Unix seconds, and what it does not say is null."""
    facts = agent.facts
    return {
        "ip": format_ip(agent.ip),
        "seen_at": agent.seen_at,
        "clock_skew": agent.skew,
        "hostname": facts.hostname or None,
        "version": facts.version or None,
        "zone": facts.zone if facts.started_at else None,
        "started_at": facts.started_at or None,
        "dns": facts.dns or None,
        "reporter": facts.reporter or None,
        "settings": facts.settings.splitlines() if facts.started_at else None,
    }


def _described(agent: Agent, now: int) -> list[str]:
    """What is known of an agent, a line each."""
    _ip, hostname, version, zone, up, state, last_report, clock = _row(agent, now)
    facts = agent.facts
    described = {
        "agent": format_ip(agent.ip),
        "hostname": hostname,
        "version": version,
        "zone": zone,
        "up": up,
        "state": f"{state}, last report {last_report}",
        "clock": clock,
        "lars-dns": facts.dns or "-",
        "lars-reporter": facts.reporter or "-",
        "settings": "; ".join(facts.settings.splitlines()) or ("the defaults" if facts.started_at else "-"),
    }
    return [f"{name:14} {value}" for name, value in described.items()]


def _route_json(route: HeldRoute) -> dict[str, object]:
    return {**route.module._asdict(), "version": route.version or None, "behind": route.behind}


def _route_row(route: HeldRoute) -> tuple[object, ...]:
    return (*route.module, route.version or "-", "BEHIND" if route.behind else "")
