"""The release before this one, from the repository's history, to run beside this checkout."""

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import lars

CHECKOUT = Path(lars.__file__).parents[1]

FIRST = "594ea1f8"
"""Stands for the first release until one has a tag: all services, but no heartbeats, weights or zones."""


def previous_release(folder: Path) -> Path:
    """Puts what runs of the newest tagged commit before this one into a folder, which goes first in PYTHONPATH."""
    tagged = _git("describe", "--tags", "--abbrev=0", "HEAD~1", status=None).decode().strip()
    archive = _git("archive", tagged or FIRST, "lars", "twisted", "sql", "conf")
    with tarfile.open(fileobj=BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def _git(*arguments: str, status: int | None = 0) -> bytes:
    done = subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, timeout=30)
    assert status is None or done.returncode == status, (
        f"git {' '.join(arguments)}: {done.stderr.decode()} (the whole history is needed: git fetch --unshallow)"
    )
    return done.stdout if done.returncode == 0 else b""
