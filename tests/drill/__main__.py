"""`python -m tests.drill zones`: one zone is cut off and comes back. Needs root, or a kernel with user namespaces."""

import json
import sys
import tempfile
from pathlib import Path

import click

from bench.processes.errors import ProcessError
from lars.errors import LarsError
from tests.drill.namespaces import ensure_own_namespaces
from tests.drill.network import Cut
from tests.drill.outcome import Outcome
from tests.drill.zones import ZonesDrill


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def drill() -> None:
    """Runs a whole Lars in zones that are networks of their own, under faults, and checks what callers had.

    The exit status is 1 if something was not as it should be.
    """


@drill.command()
@click.option("--cut", type=click.Choice([cut.value for cut in Cut]), default=Cut.SILENT.value, help="How it is cut.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def zones(cut: str, as_json: bool) -> None:
    """Cuts zone b off and heals it, while processes in both zones make calls."""
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        tempfile.tempdir = folder  # in memory, and gone with the namespaces
        _report(ZonesDrill(Path(folder), Cut(cut)).run(), as_json)


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
