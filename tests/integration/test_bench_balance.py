"""`python -m bench balance --real`, short and small: what it prints, and that it leaves nothing behind."""

import json
import os
import subprocess
import sys
from pathlib import Path

FLEET = ("--hosts", "3", "--workers", "2", "--load", "0.5", "--callers", "3")
TIMES = ("--warm", "2", "--fault", "5", "--after", "10")


def test_a_killed_host_costs_callers_little_and_has_its_share_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "balance", "--real", "--client", "asking", "--event", "killed", *FLEET, *TIMES],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    simulated, real = json.loads(done.stdout)
    assert (simulated["client"], real["client"]) == ("simulator", "asking")
    for row in (simulated, real):
        assert row["event"] == "killed"
        assert 3600 < row["calls"] < 5400, "300 calls a second in 15 s"
        assert 0 < row["lost%"] < 1
        assert row["p50"] <= row["p99"]
        assert 1 <= row["failed_until_ejected"] <= 10
    assert real["return_s"] is not None
    assert not list(tmp_path.iterdir())
    assert not processes_of(tmp_path)


def processes_of(folder: Path) -> list[bytes]:
    """The command lines of the processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(folder) in str((entry / "cwd").readlink()):
                    found.append((entry / "cmdline").read_bytes())
            except OSError:  # it has ended since
                continue
    return found
