"""What was found, and what to do about it. Pure: it is given what was seen."""

import errno
import os
import stat
from dataclasses import dataclass
from enum import StrEnum

from lars.db.clock import MAX_SKEW
from lars.runtime.file_limit import RESERVE

_REFUSED = os.strerror(errno.ECONNREFUSED)


class State(StrEnum):
    """Whether something is right. What is not used here is off, which is no fault."""

    OK = "ok"
    WRONG = "wrong"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: settings, ports, links, database, clock, limits, versions or permissions.
        about: the service, file or peer.
        state: whether it is right.
        what: what was seen.
        advice: what to do; empty where nothing is wrong.
    """

    check: str
    about: str
    state: State
    what: str
    advice: str = ""


def ok(check: str, about: str, what: str) -> Finding:
    """Something that is right."""
    return Finding(check, about, State.OK, what)


def wrong(check: str, about: str, what: str, advice: str) -> Finding:
    """Something that is wrong."""
    return Finding(check, about, State.WRONG, what, advice)


def port_finding(service: str, place: str, reason: str, needed: bool) -> Finding:
    """Of a place where a service should answer; `reason` says why it does not, empty where it does.

    A service that need not run here may be off: then the kernel refuses, where one that hangs is silent.
    """
    if not reason:
        return ok("ports", service, f"answers on {place}")
    if not needed and reason == _REFUSED:
        return Finding("ports", service, State.OFF, f"does not run here: nothing answers on {place}")
    return wrong("ports", service, f"{place}: {reason}", f"start {service}, and read its log if it ends at once")


def readiness_finding(service: str, status: int, text: str) -> Finding:
    """Of /readyz."""
    if status == 200:
        return ok("links", service, "is ready")
    return wrong("links", service, f"is not ready: {text.strip()}", "see its log, and the other findings here")


def link_finding(service: str, server: str, reason: str, kind: str) -> Finding:
    """Of a server of an agent; `reason` says why it cannot be reached, empty where it can."""
    if not reason:
        return ok("links", service, f"reaches {kind} {server}")
    advice = f"start {kind} there, open the way to it, or correct `servers` in the agent's conf file"
    return wrong("links", service, f"{kind} {server}: {reason}", advice)


def limit_finding(service: str, limit: int, max_connections: int) -> Finding:
    """Of the open files that a running service may have (docs/operations.md, open files)."""
    needed = max_connections + RESERVE
    what = f"may have {limit:,} open files"
    if limit >= needed:
        return ok("limits", service, what)
    what += f"; max_connections = {max_connections:,} needs {needed:,}"
    return wrong("limits", service, what, f"set LimitNOFILE={needed} in its unit, or a lower max_connections")


def version_finding(service: str, theirs: str, installed: str) -> Finding:
    """Of a running service and of what is installed, of which it is a part."""
    if theirs == installed:
        return ok("versions", service, f"runs {theirs}")
    return wrong("versions", service, f"runs {theirs}, and {installed} is installed", f"restart {service}")


def clock_finding(about: str, skew: float) -> Finding:
    """Of this machine's clock, in seconds by which it is ahead of another one."""
    way = "ahead of" if skew > 0 else "behind"
    if abs(skew) < MAX_SKEW:
        return ok("clock", about, f"agrees to {abs(skew):.1f} s")
    what = f"the clock of this machine is {abs(skew):.0f} s {way} the database's"
    return wrong("clock", about, what, "set both by NTP: timedatectl set-ntp true")


def secret_finding(path: str, mode: int) -> Finding:
    """Of a file with a secret, by its mode."""
    if mode & stat.S_IRWXO:
        what = f"holds a secret, and its mode is {stat.S_IMODE(mode):04o}: everybody on this machine has access"
        return wrong("permissions", path, what, f"chmod o= {path}")
    return ok("permissions", path, f"mode {stat.S_IMODE(mode):04o}")


def shared_folder_finding(path: str, mode: int) -> Finding:
    """Of the folder of saved routes, which all programs read, by its mode."""
    if mode & (stat.S_IROTH | stat.S_IXOTH) != stat.S_IROTH | stat.S_IXOTH:
        what = f"its mode is {stat.S_IMODE(mode):04o}: programs cannot read the saved routes"
        return wrong("permissions", path, what, f"chmod o+rx {path}")
    return ok("permissions", path, f"mode {stat.S_IMODE(mode):04o}")
