"""A fresh Debian in a folder, and the package that `make deb` has built."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[2] / "build" / "deb"


class Debian:
    """A Debian in a folder, where commands run by chroot."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        environ = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        chroot = ["chroot", f"--userspec={user}", str(self.root), *command]
        return subprocess.run(chroot, env=environ, capture_output=True, text=True, timeout=300)

    def ok(self, *command: str, user: str = "root") -> str:
        """Runs a command that must succeed; what it printed."""
        done = self.run(*command, user=user)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def files(self) -> set[str]:
        """All files and folders, but those that dpkg and its like keep for themselves."""
        kept = (
            "var/lib/dpkg",
            "var/cache",
            "var/log",
            "proc",
            "tmp",
            "etc/passwd",
            "etc/group",
            "etc/shadow",
            "etc/gshadow",
        )
        paths = (path.relative_to(self.root) for path in self.root.rglob("*"))
        return {str(path) for path in paths if not str(path).startswith(kept)}


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Debian]:
    """A Debian with python3. LARS_TEST_CHROOT names one that is there, which is copied; else debootstrap makes it."""
    root = tmp_path_factory.mktemp("debian") / "root"
    there = os.environ.get("LARS_TEST_CHROOT")
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    [suite] = [line.partition("=")[2] for line in release.splitlines() if line.startswith("VERSION_CODENAME=")]
    made = (
        ["cp", "-a", there, str(root)]
        if there
        else ["debootstrap", "--variant=minbase", "--include=python3", suite, str(root)]
    )
    subprocess.run(made, check=True, capture_output=True, timeout=900)
    yield Debian(root)
    shutil.rmtree(root)


@pytest.fixture(scope="session")
def package() -> Path:
    """The newest package that was built."""
    return max(BUILD.glob("lars_*.deb"), key=lambda path: path.stat().st_mtime)
