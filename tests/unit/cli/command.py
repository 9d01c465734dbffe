"""The `lars` command as tests run it: in a process of its own or, where it needs no reactor, in this one."""

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lars
from lars.cli.exit_status import exit_status
from lars.cli.main import lars as command

ROOT = Path(lars.__file__).parent.parent
"""Where `lars` can be imported from."""

DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """The one line on standard error."""
        (line,) = self.err.splitlines()
        assert line.startswith("lars: "), line
        return line.removeprefix("lars: ")


def environment(**changed: str) -> dict[str, str]:
    """The environment of a `lars` process: ours without its settings, but for those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LARS_")}
    return {**inherited, "PYTHONPATH": str(ROOT), **changed}


def arguments(*given: str) -> list[str]:
    """How to start a `lars` process."""
    return [sys.executable, "-m", "lars.cli", *given]


def run(*given: str, cwd: str | Path = ".", stdin: str = "", **environ: str) -> Ended:
    """Runs `lars` in a process of its own; in the folder cwd the database is lars.db unless said otherwise."""
    done = subprocess.run(
        arguments(*given),
        cwd=cwd,
        env=environment(**environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_here(*given: str) -> Ended:
    """Runs `lars` in this process, which its database commands cannot: a reactor runs only once."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = exit_status(command, given)
    return Ended(status, out.getvalue(), err.getvalue())
