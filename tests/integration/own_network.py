"""Commands in a network of their own (network_namespaces(7)), where every port of the loopback is free."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence

_SIOCSIFFLAGS = 0x8914  # netdevice(7)
_IFF_UP = 1


def in_own_network(command: Sequence[str]) -> list[str]:
    """The command that runs another so; where the kernel does not let us, it runs in the network of all."""
    prefix = ["unshare", "--net"] if os.getuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    if subprocess.run([*prefix, "true"], capture_output=True, timeout=10).returncode:
        return list(command)
    return [*prefix, "--", sys.executable, __file__, *command]


def _set_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))


if __name__ == "__main__":
    _set_loopback_up()
    os.execvp(sys.argv[1], sys.argv[1:])
