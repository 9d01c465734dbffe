"""`--watch`: shows something at an interval, in the same place of a terminal, until it is interrupted."""

import shutil
import sys
import time
from collections.abc import Awaitable, Callable

import click

from lars.cli.exit_status import complain
from lars.db.database import Database
from lars.db.engine import DatabaseAway
from lars.runtime.reactor import monotonic_reactor
from lars.wording import counted

_HOME, _TO_END_OF_LINE, _TO_END_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
_NO_WRAP, _WRAP = "\x1b[?7l", "\x1b[?7h"


async def show_repeatedly(database: Database, text: Callable[[Database], Awaitable[str]], interval: float) -> None:
    """Shows a text every `interval` seconds until Ctrl-C; reports an unreachable database, and continues."""
    from twisted.internet.task import deferLater

    reactor = monotonic_reactor()
    while True:
        try:
            shown = await text(database)
            if sys.stdout.isatty():
                title = f"{time.strftime('%H:%M:%S')}, every {interval:g} s; Ctrl-C to quit"
                sys.stdout.write(frame(f"{title}\n\n{shown}", shutil.get_terminal_size().lines))
            else:
                click.echo(shown)
        except DatabaseAway as error:
            complain(str(error))
        sys.stdout.flush()
        await deferLater(reactor, interval)


def frame(text: str, height: int) -> str:
    """What draws a text from the top of a terminal, over what is there: nothing is blank meanwhile.

    The text's first lines stay in view. If it has more than fit above the last line of the screen, that line says how
    many are left out. Lines that are too long are cut off.
    """
    lines = text.splitlines()
    room = max(1, height - 1)
    if len(lines) > room:
        left_out = len(lines) - room + 1
        lines = [*lines[: room - 1], f"and {counted(left_out, 'more line')} than this terminal shows"]
    drawn = "".join(f"{line}{_TO_END_OF_LINE}\r\n" for line in lines)
    return f"{_NO_WRAP}{_HOME}{drawn}{_TO_END_OF_SCREEN}{_WRAP}"
