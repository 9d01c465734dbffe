"""A command in network, mount and process namespaces of its own (namespaces(7)): the kernel ends what it leaves.

When the command ends, however it does, all its processes are killed, and its networks and mounts are gone.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lars.errors import LarsError

_INSIDE = "LARS_DRILL_NAMESPACES"


class NoNamespaces(LarsError):
    """The kernel gives this user no namespaces."""


def in_own_namespaces(command: Sequence[str]) -> list[str]:
    """The command that runs another so. Raises NoNamespaces where that is not allowed."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    prefix = ["unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True, timeout=10)
    if tried.returncode:
        raise NoNamespaces(f"the drill needs namespaces of its own: {tried.stderr.strip()}; run it as root")
    return [*prefix, "env", f"{_INSIDE}=1", *command]


def ensure_own_namespaces(module: str, arguments: Sequence[str]) -> None:
    """Returns in namespaces of its own; runs this process anew as `python -m module arguments` if it is in none yet."""
    if os.environ.pop(_INSIDE, "") != "1":
        command = in_own_namespaces([sys.executable, "-m", module, *arguments])
        os.execvp(command[0], command)
    run("mount", "-t", "tmpfs", "none", "/run")  # holds the names of the networks, which are then nobody else's
    run("ip", "link", "set", "lo", "up")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1", encoding="ascii")


def run(*command: str) -> str:
    """Runs a command to its end; what it printed. Raises LarsError with what it said if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise LarsError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout
