"""`python -m tests.drill`: the drills as commands. They need root, or a kernel that gives users namespaces."""

import json
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bench.processes.errors import ProcessError
from lars.errors import LarsError
from tests.drill.chaos.drill import run_chaos
from tests.drill.links import LinksDrill
from tests.drill.namespaces import ensure_own_namespaces
from tests.drill.network import Cut
from tests.drill.outcome import Outcome
from tests.drill.zones import ZonesDrill


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def drill() -> None:
    """Runs a whole Lars in zones that are networks of their own, under faults, and checks what callers had.

    The exit status is 1 if something was not as it should be.
    """


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_logs = click.option(
    "--logs", type=click.Path(file_okay=False, path_type=Path), help="Where logs and calls are kept afterward."
)


@drill.command()
@click.option("--cut", type=click.Choice([cut.value for cut in Cut]), default=Cut.SILENT.value, help="How it is cut.")
@_logs
@_json
def zones(cut: str, logs: Path | None, as_json: bool) -> None:
    """Cuts zone b off and heals it, while processes in both zones make calls."""
    with _folder(logs) as folder:
        outcome = ZonesDrill(folder, Cut(cut)).run()
    _report(outcome, as_json)


@drill.command()
@_json
def links(as_json: bool) -> None:
    """Shows what the faults of links do to a connection."""
    with _folder(None) as folder:
        outcome = LinksDrill(folder).run()
    _report(outcome, as_json)


@drill.command()
@click.option("--minutes", type=click.FloatRange(0.2), default=2.0, help="For how long faults come.", show_default=True)
@click.option("--seed", type=int, help="Decides on faults and edits.  [default: a random one]")
@_logs
@_json
def chaos(minutes: float, seed: int | None, logs: Path | None, as_json: bool) -> None:
    """Makes random faults of all kinds in two zones, and checks every call and every edit."""
    seed = random.randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}", err=True)
    with _folder(logs) as folder:
        outcome = run_chaos(folder, seed, minutes, lambda line: click.echo(line, err=True))
    _report(outcome, as_json)


@contextmanager
def _folder(logs: Path | None) -> Iterator[Path]:
    """A folder in memory that is gone with the namespaces."""
    with tempfile.TemporaryDirectory(dir="/run", ignore_cleanup_errors=True) as name:
        tempfile.tempdir = name
        folder = Path(name)
        try:
            yield folder
        finally:
            if logs is not None:
                logs.mkdir(parents=True, exist_ok=True)
                for file in [*folder.glob("*.log"), *folder.glob("*.calls"), *folder.glob("*.conf")]:
                    shutil.copy(file, logs)


def _report(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"figures": outcome.figures, "violations": outcome.violations}, indent=2))
    else:
        for name, value in outcome.figures.items():
            click.echo(f"{name}: {value}")
        for violation in outcome.violations:
            click.echo(f"VIOLATION {violation}")
    sys.exit(bool(outcome.violations))


if __name__ == "__main__":
    try:
        ensure_own_namespaces("tests.drill", sys.argv[1:])
        drill(prog_name="python -m tests.drill")
    except (LarsError, ProcessError) as error:
        sys.exit(f"drill: {error}")
