"""`lars agents follow`: waits until every agent that uses it has a change."""

import click

from lars.cli.arguments import db_option, json_option
from lars.cli.database import run_with_database
from lars.cli.terminal.output import print_json, print_table
from lars.db.database import Database
from lars.db.held_routes import HeldRouteStore, Progress
from lars.db.routes import RouteStore
from lars.db.url import DatabaseUrl
from lars.errors import LarsError
from lars.route import format_ip
from lars.runtime.reactor import monotonic_reactor
from lars.wording import counted

INTERVAL = 1.0
"""Seconds between two looks."""


class NotYet(LarsError):
    """Some agents do not have the change yet."""


@click.command()
@click.argument("version", type=click.IntRange(0, 2**63 - 1), required=False)
@click.option(
    "--timeout", type=click.FloatRange(0, 86_400), default=60.0, show_default=True, help="Seconds; 0: look once."
)
@db_option
@json_option
def follow(version: int | None, timeout: float, url: DatabaseUrl, as_json: bool) -> None:
    """Wait until the last agent has the change of route version VERSION, the newest one by default.

    Only agents count that use a module which it changed. Those that do not have it in time are listed, and the exit
    status is 1.

    \b
    Examples:
      lars agents follow
      lars agents follow 1763846278 --timeout 0 --json
    """

    async def wait(database: Database) -> Progress:
        from twisted.internet.task import deferLater

        store, reactor = HeldRouteStore(database), monotonic_reactor()
        followed = version if version is not None else await RouteStore(database).version()
        deadline = reactor.seconds() + timeout
        while True:
            progress = await store.progress(followed)
            if progress.have == progress.agents or reactor.seconds() >= deadline:
                return progress
            await deferLater(reactor, min(INTERVAL, deadline - reactor.seconds()))

    progress = run_with_database(url, wait)
    text = summary(progress)
    if as_json:
        print_json(progress_json(progress))
    else:
        click.echo(text)
        if progress.waiting:
            rows = [(format_ip(one.caller), one.hostname or "-", *one.module, one.version) for one in progress.waiting]
            print_table(["AGENT", "HOSTNAME", "MODID", "CMDID", "HAS VERSION"], rows)
    if progress.have < progress.agents:
        raise NotYet(f"{counted(progress.agents - progress.have, 'agent')} of {progress.agents} without it so far")


def summary(progress: Progress) -> str:
    """How far a change has come, in one line."""
    if not progress.modules:
        return f"version {progress.version} changes nothing that agents are sent, or is no longer kept"
    modules = counted(len(progress.modules), "module")
    unknown = f"; {progress.unknown} do not say" if progress.unknown else ""
    return f"version {progress.version}, {modules}: {progress.have} of {counted(progress.agents, 'agent')}{unknown}"


def progress_json(progress: Progress) -> dict[str, object]:
    """The same for --json."""
    waiting = [
        {"ip": format_ip(one.caller), "hostname": one.hostname, **one.module._asdict(), "version": one.version}
        for one in progress.waiting
    ]
    modules = [module._asdict() for module in progress.modules]
    counts = {"agents": progress.agents, "have": progress.have, "unknown": progress.unknown}
    return {"version": progress.version, "modules": modules, **counts, "waiting": waiting}
