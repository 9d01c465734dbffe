"""Whether a peer may report for a caller: its own address, this machine's over loopback, or any if it is allowed to.

See docs/design/reporter.md, callers.
"""

from collections.abc import Callable
from enum import Enum

from lars.networks import ANY, Networks, is_loopback, origin
from lars.route import format_ip
from lars.runtime.this_machine import is_of_this_machine


class Claim(Enum):
    """What a caller in a report is to the peer that sends it."""

    OWN = "own"
    """The peer's address."""
    ALLOWED = "allowed"
    """Another one, for which the peer is in the networks that may report."""
    UNPROVEN = "unproven"
    """Another one, and every peer may report for others."""
    REFUSED = "refused"
    """Another one, and the peer is in no network that may report for others."""


class CallerRule:
    """Decides about each new caller of a connection.

    Args:
        may_report: the networks whose peers may report for other addresses than their own.
        is_local: whether this machine has an IPv4 address, which peers over loopback may report for.
    """

    def __init__(self, may_report: Networks = ANY, is_local: Callable[[str], bool] = is_of_this_machine) -> None:
        self._may_report = may_report
        self._is_local = is_local

    def claim(self, host: str, caller: int) -> Claim:
        """What a caller is to the peer with an address; one without an IP address is a process of this machine."""
        ip = format_ip(caller)
        if origin(host) == ip or ((not host or is_loopback(host)) and self._is_local(ip)):
            return Claim.OWN
        if self._may_report == ANY:
            return Claim.UNPROVEN
        return Claim.ALLOWED if host in self._may_report else Claim.REFUSED
