"""The `lars demo` command: sets up the run, cleans up after it, and prints its summary."""

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

from lars.cli.demo.run import DemoRun
from lars.cli.demo.stack import StackFailed
from lars.cli.demo.view import view_for
from lars.cli.exit_status import DONE, INTERRUPTED, REFUSED

_ENDING = (signal.SIGTERM, signal.SIGHUP)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON, and the events on standard error.")
@click.option("--stay", is_flag=True, help="Keep running after the last step, until Ctrl-C.")
def demo(as_json: bool, stay: bool) -> None:
    """Watch Lars at work for half a minute, without any setup.

    Starts Lars on free ports with a temporary database, four nodes and some callers. One node starts to fail and is
    ejected, recovers, is probed and has its share again; another is ten times slower for a while and gets fewer calls;
    a fifth is added. The exit status is 0 if all of this happens as it should. Prints the address of the console, which
    is available while the demo runs. Leaves nothing behind.
    """
    console = Console(stderr=as_json)
    try:
        with (
            _ended_by_signals(),
            TemporaryDirectory(prefix="lars-demo-", ignore_cleanup_errors=True) as folder,
            view_for(console) as view,
            ExitStack() as cleanup,
            _uninterrupted_cleanup(),
        ):
            summary = DemoRun(Path(folder), view, cleanup).run(stay)
    except StackFailed as failure:
        for line in failure.log:
            click.echo(f"    {line}", err=True)
        raise
    except KeyboardInterrupt:
        click.echo("lars demo: interrupted; stopped everything it started", err=True)
        sys.exit(INTERRUPTED)
    missed = summary.missed()
    if as_json:
        click.echo(json.dumps(summary.as_json(), indent=2))
    else:
        click.echo("\n".join(["", *summary.lines(), *([] if missed else ["", "everything happened as expected"])]))
    for line in missed:
        click.echo(f"not as expected: {line}", err=True)
    sys.exit(REFUSED if missed else DONE)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end the run with its cleanup, as Ctrl-C does, unless they were ignored (nohup)."""

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
def _uninterrupted_cleanup() -> Iterator[None]:
    """Ignores further signals once its block has ended, so that they do not interrupt the cleanup."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, *_ENDING):
            signal.signal(number, signal.SIG_IGN)
