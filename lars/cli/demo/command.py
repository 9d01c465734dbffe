"""The `lars demo` command: the run's surroundings, how it ends, and what it prints at the end."""

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import click
from rich.console import Console

from lars.cli.demo.run import Play
from lars.cli.demo.stack import StackFailed
from lars.cli.demo.view import view_for
from lars.cli.exit_status import DONE, INTERRUPTED, REFUSED

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON; what happens goes to standard error.")
@click.option("--stay", is_flag=True, help="Go on until Ctrl-C when all has been shown, with the console to look at.")
def demo(as_json: bool, stay: bool) -> None:
    """See Lars at work, in half a minute, with nothing set up.

    Starts Lars on free ports and a temporary database, four nodes and some callers. One node begins to fail and is
    set aside, heals and returns; a fifth is added while calls run. Exit status 0 if all of that happened as it
    should. Nothing is left behind. The address of the console is printed: it answers while this runs.
    """
    console = Console(stderr=as_json)
    try:
        with (
            _ended_by_signals(),
            TemporaryDirectory(prefix="lars-demo-", ignore_cleanup_errors=True) as folder,
            view_for(console) as view,
            ExitStack() as cleanup,
            _undisturbed_end(),
        ):
            summary = Play(Path(folder), view, cleanup).run(stay)
    except StackFailed as failure:
        for line in failure.log:
            click.echo(f"    {line}", err=True)
        raise
    except KeyboardInterrupt:
        click.echo("lars demo: interrupted; everything it started has ended", err=True)
        sys.exit(INTERRUPTED)
    missed = summary.missed()
    if as_json:
        click.echo(json.dumps(summary.as_json(), indent=2))
    else:
        click.echo("\n".join(["", *summary.lines(), *([] if missed else ["", "all of it happened as it should"])]))
    for line in missed:
        click.echo(f"not as it should be: {line}", err=True)
    sys.exit(REFUSED if missed else DONE)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the run in order, as Ctrl-C does, unless they were ignored (nohup)."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *_ENDING)}
    for number in _ENDING:
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _undisturbed_end() -> Iterator[None]:
    """Whatever ended its block, what is cleaned up after it is not cut off by a second signal."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, *_ENDING):
            signal.signal(number, signal.SIG_IGN)
