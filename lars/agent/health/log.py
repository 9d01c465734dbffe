"""The log lines of health checks, other than those of hosts that change their state."""

from collections.abc import Callable

from twisted.logger import Logger

from lars.route import HostAddress, ModuleId
from lars.runtime.log_limit import LogLimit
from lars.wording import counted

_log = Logger()

AGAIN = 3600.0
"""Seconds after which a lasting fault of one module is logged again."""


class HealthLog:
    """Logs what HealthChecks finds out. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._network = LogLimit(now)
        self._modules = LogLimit(now, interval=AGAIN)

    def network_broken(self, hosts: int) -> None:
        """All checks fail, at so many hosts."""
        if times := self._network.admit("broken"):
            _log.warn(
                "all health checks fail, at {hosts}: taken for a fault of this machine's network, so every host "
                "stays where it is{more}",
                hosts=counted(hosts, "host"),
                more=f" ({times} times since the last line)" if times > 1 else "",
            )

    def network_works(self) -> None:
        """A host has answered a check again."""
        if self._network.admit("works"):
            _log.info("hosts answer health checks again")

    def unusable(self, module: ModuleId, host: HostAddress, what: str) -> None:
        """The check of a module fails also at a host that answers calls."""
        if self._modules.admit(module):
            _log.warn(
                "{module}: its health check fails also at {host}, which takes calls ({what}): it is not used until it "
                "passes, and ejected hosts are probed by calls; set health_check.type, path or port to what the hosts "
                "answer, or health_check.when to off",
                module=module,
                host=host,
                what=what,
            )

    def without_effect(self, module: ModuleId, policy: str) -> None:
        """A module names a check, and has a policy without checks."""
        if self._modules.admit((module, policy)):
            _log.warn(
                "{module}: health_check has no effect on the policy {policy}; the other policies have checks",
                module=module,
                policy=policy,
            )
