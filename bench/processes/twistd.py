"""The command line and environment with which this checkout's services run under twistd."""

import os
import shutil
import sys
from pathlib import Path

from bench.processes.errors import ProcessError

CHECKOUT = Path(__file__).resolve().parents[2]


def twistd_command(plugin: str, *options: str) -> list[str]:
    """The command that runs a service in the foreground, with the twistd that is installed beside this Python."""
    beside = Path(sys.executable).with_name("twistd")
    program = str(beside) if beside.exists() else shutil.which("twistd")
    if not program:
        raise ProcessError("twistd is missing: run `make venv`")
    return [program, "-n", "--pidfile=", plugin, *options]


def checkout_environ() -> dict[str, str]:
    """The environment in which a child finds this checkout's packages, and twistd its plugins."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))}
