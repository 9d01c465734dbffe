"""`--watch`: shows something anew at an interval, in the same place of a terminal, until it is interrupted."""

import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import click

from lars.cli.exit_status import complain
from lars.db.database import Database
from lars.db.engine import DatabaseAway


async def watched(database: Database, show: Callable[[Database], Awaitable[None]], interval: float) -> None:
    """Shows until Ctrl-C; while the database is away it says so, and goes on."""
    from twisted.internet import reactor as installed  # importing it installs it
    from twisted.internet.task import deferLater

    reactor = cast(Any, installed)
    while True:
        if sys.stdout.isatty():
            click.clear()
            click.echo(f"{time.strftime('%H:%M:%S')}, every {interval:g} s; Ctrl-C ends it\n")
        try:
            await show(database)
        except DatabaseAway as error:
            complain(str(error))
        sys.stdout.flush()
        await deferLater(reactor, interval)
