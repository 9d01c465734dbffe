"""The addresses of this machine."""

import socket


def is_of_this_machine(ip: str) -> bool:
    """Whether an IPv4 address is one of this machine's, a loopback one included."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((ip, 0))
        except OSError:
            return False
    return True
