"""Commands in a network of their own whose name server never answers, so that every look-up hangs."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.integration.own_network import set_loopback_up

LOOK_UP = {"RES_OPTIONS": "timeout:30 attempts:1"}
"""The environment (resolv.conf(5)) in which a look-up takes half a minute."""


def with_silent_dns(command: Sequence[str]) -> list[str]:
    """The command that runs another so; where the kernel does not let us, names are looked up as everywhere."""
    user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
    prefix = ["unshare", *user, "--net", "--mount"]
    if subprocess.run([*prefix, "true"], capture_output=True, timeout=10).returncode:
        return list(command)
    return [*prefix, "--", sys.executable, "-m", "tests.integration.silent_dns", *command]


def looks_up(pid: int) -> bool:
    """Whether a process in such a network waits for an answer of its name server."""
    return "0100007F:0035 01" in Path(f"/proc/{pid}/net/udp").read_text(encoding="ascii")


def _listen() -> None:
    """Takes questions at the port of DNS, for as long as the process lives, also after exec."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    sock.set_inheritable(True)
    sock.detach()


if __name__ == "__main__":
    set_loopback_up()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
        conf.write("nameserver 127.0.0.1\n")
        conf.flush()
        subprocess.run(["mount", "--bind", conf.name, "/etc/resolv.conf"], check=True)
    _listen()
    os.execvp(sys.argv[1], sys.argv[1:])
