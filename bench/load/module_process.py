"""A program of the benchmark's own in a process of its own, so that its CPU time is not that of this process."""

import json
import os
import subprocess
import sys
from typing import Any

from bench.errors import BenchError
from bench.processes.twistd import checkout_environ


def run_module(module: str, *arguments: str, stdin: str = "", deadline: float) -> Any:
    """Runs `python -m MODULE` to its end; the JSON that it prints.

    Raises BenchError, with the end of its errors, if it fails or is not done by `deadline` seconds.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env={**os.environ, **checkout_environ()},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=deadline,
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"{module} is not done after {deadline:g} s") from None
    if done.returncode:
        raise BenchError(f"{module} failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")
    return json.loads(done.stdout)
