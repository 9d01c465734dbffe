"""Ejection that health checks take part in (docs/design/balancing.md, health checks).

An unhealthy host leaves although no call has failed. A host that calls have ejected gets its probe only after its
checks have passed, so that no call is spent on a dead one. Where nothing is healthy, all take calls: Envoy's panic
threshold (load_balancer_base.cc), at zero.
"""

import math
import random

from lars.balancing.ejection import Ejection, EjectionSettings
from lars.balancing.host import H, HostState, StateChange
from lars.balancing.record import Record


class CheckedEjection(Ejection[H]):
    """The hosts of a module by their calls and their checks.

    Attributes:
        panic: whether all hosts take calls because their checks leave none.
    """

    __slots__ = ("_gated", "_panics", "panic")

    def __init__(self, settings: EjectionSettings, rng: random.Random) -> None:
        super().__init__(settings, rng)
        self._gated = self.panic = False
        self._panics = True

    def use_checks(self, gated: bool, panics: bool) -> bool:
        """Sets the rules; whether they are others than before.

        Args:
            gated: whether an ejected host must pass its checks before a call probes it.
            panics: whether all hosts take calls where none is healthy; otherwise none does.
        """
        if (gated, panics) == (self._gated, self._panics):
            return False
        self._gated, self._panics = gated, panics
        self._settle()
        self._schedule()
        return True

    def end_checks(self) -> None:
        """Checks are off: what they said counts no more."""
        self._gated = self.panic = False
        for record in [*self.eligible, *self.ejected]:
            record.unhealthy, record.vouched = "", False
            if record.ejected and not record.blamed:
                self._restore(record, "check")
        self._schedule()
        self.ensure_eligible()

    def doubtful(self) -> list[Record[H]]:
        """The hosts that are ejected, or whose checks fail."""
        return [*self.ejected, *(record for record in self.eligible if record.unhealthy)]

    def probeable(self) -> list[Record[H]]:
        if self._gated and not self.panic:
            return [record for record in self.ejected if record.vouched]
        return [record for record in self.ejected if record.blamed]

    def check_failed(self, record: Record[H], what: str, evidence: str) -> None:
        """Takes a host out of rotation, or keeps it out; the arguments are those of Policy.check_failed."""
        if record.ejected or self.panic:
            record.unhealthy, record.vouched = what, False
            self._schedule()
        elif evidence:
            record.unhealthy = what
            self._leave(record, evidence)
            self._settle()

    def check_passed(self, record: Record[H]) -> None:
        """Brings a host back that only checks have ejected; lets a call probe one that calls have ejected."""
        record.unhealthy = ""
        if not record.ejected:
            self._settle()
        elif not record.blamed:
            self._restore(record, "check")
        elif not record.vouched:
            record.vouched = True
            if record.strikes <= (self._settings.slow_strikes if record.failed_slowly else 1):
                record.deadline = -math.inf  # no probe was in vain so far: the next call is one
            self._schedule()

    def probed(self, record: Record[H], failed: bool, slow: bool, now: float) -> None:
        if record.unhealthy and not failed and self._gated and not self.panic:
            record.stale = max(0, record.stale - 1)  # a call from before, or one that the agent did not choose
            return
        if failed and not record.stale:
            record.vouched = False
        super().probed(record, failed, slow, now)

    def ensure_eligible(self) -> None:
        if not self.eligible and any(not record.unhealthy for record in self.ejected):
            super().ensure_eligible()
        self._settle()

    def _fallback(self) -> Record[H]:
        return min((each for each in self.ejected if not each.unhealthy), key=lambda each: each.probe_at)

    def _restore(self, record: Record[H], reason: str) -> None:
        if record.vouched and reason == "probe":
            reason = "check"
        record.vouched = False
        if not self.panic:
            record.unhealthy = ""
        super()._restore(record, reason)
        self._settle()

    def _leave(self, record: Record[H], evidence: str) -> None:
        self._set_aside(record)
        self._schedule()
        self._changes.append(StateChange(record.host, HostState.UNHEALTHY, "check", f"{record.unhealthy}; {evidence}"))

    def _settle(self) -> None:
        """Begins and ends the panic."""
        if self.panic and (not self._panics or any(not record.unhealthy for record in self.eligible)):
            self.panic = False
            for record in [record for record in self.eligible if record.unhealthy]:
                self._leave(record, "the panic is over")
        elif self._panics and self.ejected and not self.eligible:
            self.panic = True
            for record in list(self.ejected):
                record.failures, record.pain = 0, 0.0
                self._take_back(record)
                evidence = "no host is healthy: all take calls"
                self._changes.append(StateChange(record.host, HostState.HEALTHY, "panic", evidence))
