"""`--watch`: shows something at an interval, in the same place of a terminal, until it is interrupted."""

import sys
import time
from collections.abc import Awaitable, Callable

import click

from lars.cli.exit_status import complain
from lars.db.database import Database
from lars.db.engine import DatabaseAway
from lars.runtime.reactor import monotonic_reactor


async def show_repeatedly(database: Database, show: Callable[[Database], Awaitable[None]], interval: float) -> None:
    """Calls `show` every `interval` seconds until Ctrl-C; reports an unreachable database, and continues."""
    from twisted.internet.task import deferLater

    reactor = monotonic_reactor()
    while True:
        if sys.stdout.isatty():
            click.clear()
            click.echo(f"{time.strftime('%H:%M:%S')}, every {interval:g} s; Ctrl-C to quit\n")
        try:
            await show(database)
        except DatabaseAway as error:
            complain(str(error))
        sys.stdout.flush()
        await deferLater(reactor, interval)
