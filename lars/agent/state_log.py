"""The log lines of hosts that are ejected and restored, each with the evidence that decided; bounded in number."""

from collections.abc import Callable

from twisted.logger import Logger

from lars.agent.module import RoutedHost
from lars.balancing.host import HostState, StateChange
from lars.route import ModuleId
from lars.runtime.log_limit import LogLimit
from lars.wording import counted

_log = Logger()

LINES = 20
"""Lines a minute, for all modules together: a network that fails ejects thousands of hosts."""


class StateLog:
    """Logs changes of state. `now` is a clock in seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._limit = LogLimit(now, burst=LINES)

    def changed(self, module: ModuleId, change: StateChange[RoutedHost]) -> None:
        """Logs a change, or counts it for the next line."""
        times = self._limit.admit("changed")
        if not times:
            return
        _log.info(
            "{module} {host} {what} ({reason}): {evidence}{more}",
            module=module,
            host=change.host.address,
            what="restored" if change.state is HostState.HEALTHY else change.state.value,
            reason=change.reason,
            evidence=change.evidence,
            more=f"; {counted(times - 1, 'more change')} since the last line" if times > 1 else "",
        )
