"""The balancer of one module: which host next, and which to set aside (docs/design/balancing.md, classic).

Pure: `now` (seconds, monotonic) is an argument. choose and report cost the same whatever the number of hosts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from lars.route import HostAddress


@dataclass(frozen=True, slots=True)
class BalancerSettings:
    """The rules' numbers; names and defaults are those of the C++ [loadbalance] section."""

    probe_num: int = 10
    init_succ_cnt: int = 180
    init_err_cnt: int = 5
    err_rate: float = 0.1
    succ_rate: float = 0.5
    contin_err_limit: int = 15
    contin_succ_limit: int = 15
    window_err_rate: float = 0.7
    idle_timeout: float = 15
    overload_timeout: float = 15


MAX_COST_WEIGHT = 50
"""A failed call counts as at most so many failures, however long it took."""


class Host:
    """One node and what its calls came to.

    vsucc and verr are virtual counts, which decide; rsucc and rerr the real ones of this window.
    """

    __slots__ = (
        "address",
        "contin_err",
        "contin_succ",
        "overloaded",
        "rerr",
        "reset_at",
        "rsucc",
        "verr",
        "vsucc",
    )

    def __init__(self, address: HostAddress) -> None:
        self.address = address
        self.overloaded = False
        self.vsucc = self.verr = self.rsucc = self.rerr = self.contin_succ = self.contin_err = 0
        self.reset_at = 0.0

    def reset(self, vsucc: int, verr: int, now: float) -> None:
        self.vsucc, self.verr = vsucc, verr
        self.rsucc = self.rerr = self.contin_succ = self.contin_err = 0
        self.reset_at = now


@dataclass(frozen=True, slots=True)
class StateChange:
    """A host set aside or taken back, with the counts that decided it.

    `reason` is "errors", "window" or, back in rotation, "successes" or "timeout".
    """

    address: HostAddress
    overloaded: bool
    reason: str
    vsucc: int
    verr: int
    rsucc: int
    rerr: int
    contin_succ: int
    contin_err: int


H = TypeVar("H", bound=Host)


class Balancer(Generic[H]):
    """The hosts of one module, each in exactly one of two queues: idle (in rotation) and overloaded (probed).

    `new_host` makes them: the balancer's owner may keep with a host what the balancer has no use for.
    """

    __slots__ = (
        "_idle",
        "_new_host",
        "_overloaded",
        "_settings",
        "_since_probe",
        "_soonest",
        "changes",
        "hosts",
        "revision",
    )

    def __init__(self, settings: BalancerSettings, new_host: Callable[[HostAddress], H]) -> None:
        self._settings = settings
        self._new_host = new_host
        self._soonest = min(settings.idle_timeout, settings.overload_timeout)
        self._idle: OrderedDict[H, None] = OrderedDict()
        self._overloaded: OrderedDict[H, None] = OrderedDict()
        self._since_probe = 0
        self.hosts: dict[HostAddress, H] = {}
        self.changes: list[StateChange] = []
        """State changes that nobody has taken note of yet; whoever does clears the list."""
        self.revision = 0
        """Another number whenever the hosts or a host's state may be others."""

    @property
    def idle_count(self) -> int:
        return len(self._idle)

    @property
    def overloaded_count(self) -> int:
        return len(self._overloaded)

    def choose(self) -> H | None:
        """The next host, or None when all are overloaded and it is not a probe's turn.

        While any host is overloaded, every (probe_num + 1)th request goes to the first of them.
        """
        if self._overloaded:
            self._since_probe += 1
            if self._since_probe > self._settings.probe_num:
                self._since_probe = 0
                return _rotate(self._overloaded)
        if self._idle:
            return _rotate(self._idle)
        return None

    def report(self, address: HostAddress, failed: bool, cost_ms: int, now: float) -> bool:
        """Counts one call; False if the host is not in the route.

        A failure weighs as many virtual ones as it took tenths of a second, so that a host that times out is set
        aside as fast as one that refuses.
        """
        host = self.hosts.get(address)
        if host is None:
            return False
        if failed:
            self._failure(host, min(MAX_COST_WEIGHT, max(1, cost_ms // 100)), now)
        else:
            self.succeeded(host, now)
        return True

    def succeeded(self, host: H, now: float) -> None:
        """Counts one successful call to a host that is in the route."""
        host.vsucc += 1
        host.rsucc += 1
        host.contin_succ += 1
        host.contin_err = 0
        if host.overloaded:
            settings = self._settings
            if (
                host.vsucc / (host.vsucc + host.verr) > settings.succ_rate
                or host.contin_succ >= settings.contin_succ_limit
            ):
                self._enter_idle(host, "successes", now)
                return
        if now - host.reset_at >= self._soonest:
            self._check_window(host, now)

    def succeeded_often(self, host: H, times: int, now: float) -> None:
        """Counts successful calls as `succeeded` would one by one, at a cost that does not grow with their number."""
        while times > 0:
            was_idle = not host.overloaded
            self.succeeded(host, now)
            times -= 1
            if was_idle and not host.overloaded:  # its window is young: only the counts can change
                host.vsucc += times
                host.rsucc += times
                host.contin_succ += times
                return

    def _failure(self, host: H, weight: int, now: float) -> None:
        host.verr += weight
        host.rerr += 1
        host.contin_err += 1
        host.contin_succ = 0
        if not host.overloaded:
            settings = self._settings
            if host.verr / (host.vsucc + host.verr) > settings.err_rate or host.contin_err >= settings.contin_err_limit:
                self._enter_overloaded(host, "errors", now)
                return
        self._check_window(host, now)

    def sweep(self, now: float) -> None:
        """Starts new windows and ends expired overloads; run by timer, so that silence heals too."""
        for host in self.hosts.values():
            self._check_window(host, now)

    def _check_window(self, host: H, now: float) -> None:
        settings = self._settings
        age = now - host.reset_at
        if host.overloaded:
            if age >= settings.overload_timeout:
                self._enter_idle(host, "timeout", now)
        elif age >= settings.idle_timeout:
            calls = host.rsucc + host.rerr
            if calls and host.rerr / calls >= settings.window_err_rate:
                self._enter_overloaded(host, "window", now)
            else:
                host.reset(settings.init_succ_cnt, 0, now)

    def update(self, addresses: Iterable[HostAddress], now: float) -> list[H]:
        """Takes a new route: new hosts join the back of the idle queue, gone ones leave, the others keep all.

        Returns those that left.
        """
        self.revision += 1
        wanted = dict.fromkeys(addresses)
        gone = [host for address, host in self.hosts.items() if address not in wanted]
        for host in gone:
            del self.hosts[host.address]
            del (self._overloaded if host.overloaded else self._idle)[host]
        for address in wanted:
            if address not in self.hosts:
                host = self.hosts[address] = self._new_host(address)
                host.reset(self._settings.init_succ_cnt, 0, now)
                self._idle[host] = None
        return gone

    def _enter_idle(self, host: H, reason: str, now: float) -> None:
        self._note(host, False, reason)
        del self._overloaded[host]
        self._idle[host] = None
        host.overloaded = False
        host.reset(self._settings.init_succ_cnt, 0, now)

    def _enter_overloaded(self, host: H, reason: str, now: float) -> None:
        self._note(host, True, reason)
        del self._idle[host]
        self._overloaded[host] = None
        host.overloaded = True
        host.reset(0, self._settings.init_err_cnt, now)

    def _note(self, host: H, overloaded: bool, reason: str) -> None:
        self.revision += 1
        self.changes.append(
            StateChange(
                host.address,
                overloaded,
                reason,
                host.vsucc,
                host.verr,
                host.rsucc,
                host.rerr,
                host.contin_succ,
                host.contin_err,
            )
        )


def _rotate(queue: OrderedDict[H, None]) -> H:
    """The first host, which goes to the back."""
    host = next(iter(queue))
    queue.move_to_end(host)
    return host
