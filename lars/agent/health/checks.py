"""The health checks of an agent: which hosts are checked, and what follows from what was found. Pure.

`now` is in seconds, monotonic. See docs/design/balancing.md, health checks.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Protocol

from lars.agent.health.check import DEFAULT_CHECK, Check, Outcome
from lars.agent.health.schedule import JITTER, Schedule
from lars.agent.module import Module, RoutedHost
from lars.module_settings import Value
from lars.route import HostAddress, ModuleId

PROOF = 60.0
"""Seconds for which a check that has passed shows that the checks of its module can pass."""

CONTROLS = 2
"""Hosts that answer calls and must fail the check, where there are so many, before it is taken for unusable."""

Settings = Mapping[str, Value | None]


class CheckedHost:
    """A host that is checked.

    Attributes:
        host: the host.
        watch: what is known of its module.
        control: whether it is checked once, and only to see whether the check can pass at all.
        due: when it is checked next; infinity while a check is under way.
        started: when the last check began.
        passes, failures: checks in a row that have passed, or failed.
        failing_since: when the first of these failures began.
        out: whether it took no calls when it was last checked.
        calls: successes and failures of its calls when it was last looked at.
    """

    __slots__ = ("calls", "control", "due", "failing_since", "failures", "host", "out", "passes", "started", "watch")

    def __init__(self, host: RoutedHost, watch: "Watch", control: bool = False) -> None:
        self.host = host
        self.watch = watch
        self.control = control
        self.passes = self.failures = 0
        self.out = False
        self.due = self.started = self.failing_since = inf
        self.calls = _calls(host)

    @property
    def target(self) -> HostAddress:
        """Where it is checked."""
        return self.watch.check.target(self.host.address)

    def answers_well(self) -> bool:
        """Whether its calls have succeeded, and none failed, since the last time that this was asked."""
        before, self.calls = self.calls, _calls(self.host)
        return self.calls[0] > before[0] and self.calls[1] == before[1]


def _calls(host: RoutedHost) -> tuple[int, int]:
    return host.succ + host.succ_before, host.err + host.err_before


class Watch:
    """What is known of a module with hosts to check, or with a check of its own.

    Attributes:
        module: the module.
        settings: its settings when `check` was made of them.
        check: how its hosts are checked.
        revision: that of its policy when its hosts were last looked through.
        hosts: those that are checked.
        proved: when a check of the module last passed.
        control: a check of a host that takes calls, while one is scheduled or under way.
        suspect: hosts that take calls and whose control has failed since one has last passed.
        next_control: when a control may be made again.
        usable: whether the check is taken for one that can pass.
    """

    __slots__ = (
        "check",
        "control",
        "hosts",
        "module",
        "next_control",
        "proved",
        "revision",
        "settings",
        "suspect",
        "usable",
    )

    def __init__(self, module: Module, settings: Settings) -> None:
        self.module = module
        self.settings = settings
        self.check = Check.of(settings)
        self.revision = -1
        self.hosts: dict[RoutedHost, CheckedHost] = {}
        self.proved = self.next_control = -inf
        self.suspect: set[RoutedHost] = set()
        self.control: CheckedHost | None = None
        self.usable = True


class HealthEvents(Protocol):
    """What is worth a log line."""

    def network_broken(self, hosts: int) -> None:
        """All checks fail, at so many hosts."""

    def network_works(self) -> None:
        """A host has answered a check again."""

    def unusable(self, module: ModuleId, host: HostAddress, what: str) -> None:
        """The check of a module fails also at a host that answers calls."""

    def without_effect(self, module: ModuleId, policy: str) -> None:
        """A module names a check, and has a policy without checks."""


class HealthChecks:
    """The checks of all modules of some directories, whose listener it is.

    Args:
        rate: checks a second, at most.
        settings_of: the settings of a module, with defaults: the same object while they are the same.
        events: is called where a line in the log is due.
        rng: for jitter and draws.

    Attributes:
        outcomes: checks made so far, by their kind.
        spared: checks that were not made because the host answers calls well.
        network_broken: whether the network of this machine is taken for broken, because all checks fail.
    """

    def __init__(
        self, rate: float, settings_of: Callable[[ModuleId], Settings], events: HealthEvents, rng: random.Random
    ) -> None:
        self._settings_of = settings_of
        self._events = events
        self._rng = rng
        self._schedule: Schedule[CheckedHost] = Schedule(rate, rng)
        self._watches: dict[ModuleId, Watch] = {}
        self._failing: set[CheckedHost] = set()
        self._reached_at = -inf
        self.outcomes: Counter[str] = Counter()
        self.spared = 0
        self.network_broken = False

    @property
    def checked(self) -> int:
        """The number of hosts that are checked."""
        return sum(len(watch.hosts) for watch in self._watches.values())

    # -- which hosts are checked

    def module_added(self, module: Module) -> None:
        """Sets the rules of its policy."""
        self._look(module, -inf)

    def module_removed(self, module: Module) -> None:
        """Forgets it."""
        watch = self._watches.pop(module.id, None)
        if watch is not None:
            self._keep(watch, [], 0.0)

    def hosts_removed(self, hosts: Iterable[RoutedHost]) -> None:
        """Forgets them."""
        for host in hosts:
            watch = self._watches.get(host.module.id)
            if watch is not None and host in watch.hosts:
                self._drop(watch.hosts.pop(host))

    def look(self, modules: Iterable[Module], now: float) -> None:
        """Looks which hosts of some modules are to be checked; called about once a second."""
        for module in modules:
            self._look(module, now)

    def _look(self, module: Module, now: float) -> None:
        settings = self._settings_of(module.id)
        watch = self._watches.get(module.id)
        if module.check_settings is not settings:
            watch = self._begin(module, settings, watch)
        elif watch is None:
            if not module.ejected:
                return
            watch = self._watches[module.id] = Watch(module, settings)
        if watch.check.when != "off" and module.policy.takes_checks:
            self._choose(watch, now)
        if watch.usable and not watch.hosts and watch.check == DEFAULT_CHECK:
            del self._watches[module.id]  # what most modules are: nothing is known of them

    def _choose(self, watch: Watch, now: float) -> None:
        """Chooses the hosts of a module that are checked."""
        module, policy = watch.module, watch.module.policy
        policy.use_checks(watch.usable and not self.network_broken, bool(watch.settings["panic"]))
        if policy.revision == watch.revision:
            return
        watch.revision = policy.revision
        if watch.check.when == "always":
            hosts = list(module.hosts.values())
            self._keep(watch, [host for host in hosts if host.weight] or hosts, now)
        else:
            self._keep(watch, policy.doubtful(), now)

    def _begin(self, module: Module, settings: Settings, before: Watch | None) -> Watch:
        """The watch of a module that is new, or has other settings now."""
        if before is not None:
            self._keep(before, [], 0.0)
        module.check_settings = settings
        watch = self._watches[module.id] = Watch(module, settings)
        if watch.check.when == "off":
            module.policy.end_checks()
        elif not module.policy.takes_checks and watch.check != DEFAULT_CHECK:
            self._events.without_effect(module.id, module.policy_name)
        return watch

    def _keep(self, watch: Watch, wanted: Iterable[RoutedHost], now: float) -> None:
        """Checks these hosts of a module from now on, and no others."""
        before, watch.hosts = watch.hosts, {}
        for host in wanted:
            watch.hosts[host] = before.pop(host) if host in before else self._added(CheckedHost(host, watch), now)
        for checked in before.values():
            self._drop(checked)
        if not watch.hosts and watch.control is not None:
            self._drop(watch.control)
            watch.control = None

    def _added(self, checked: CheckedHost, now: float) -> CheckedHost:
        self._schedule.first(checked, checked.watch.check.interval, now)
        return checked

    def _drop(self, checked: CheckedHost) -> None:
        self._schedule.drop(checked)
        self._failing.discard(checked)

    # -- when

    def next_at(self) -> float:
        """When a check can be started; infinity if there is none to start."""
        return self._schedule.next_at()

    def take_due(self, now: float) -> CheckedHost | None:
        """The host to check now. Hosts that answer calls well are passed over: that says more than a connection."""
        while True:
            checked = self._schedule.take(now)
            if checked is None:
                return None
            checked.started = now
            check = checked.watch.check
            if check.type == "tcp" and check.when == "always" and checked.answers_well():
                self.spared += 1
                self._passed(checked, now)
                self._schedule.again(checked, check.interval, now)
                continue
            self._schedule.started(now)
            return checked

    # -- what follows

    def ended(self, checked: CheckedHost, outcome: Outcome, now: float) -> None:
        """Takes what a check that `take_due` asked for has found."""
        self.outcomes[outcome.kind] += 1
        if outcome.answered:
            self._reached(now)
        watch = checked.watch
        is_known = watch.hosts.get(checked.host) is checked
        if watch.control is checked:
            watch.control = None
        if outcome.passed:
            self._passed(checked, now)
        elif checked.control:
            self._control_failed(checked, outcome, now)
        elif is_known:
            self._failed(checked, outcome, now)
        if is_known:
            interval = watch.check.confirm_interval if self._changing(checked) else watch.check.interval
            self._schedule.again(checked, interval, checked.started)

    def _changing(self, checked: CheckedHost) -> bool:
        """Whether the last checks contradict the host's state, and the next ones decide."""
        check = checked.watch.check
        if not checked.watch.module.policy.takes_calls(checked.host):
            return 0 < checked.passes < check.rise
        return check.when == "always" and 0 < checked.failures < check.fall

    def _passed(self, checked: CheckedHost, now: float) -> None:
        watch = checked.watch
        watch.proved = now
        watch.usable = True
        watch.suspect.clear()
        self._reached(now)
        if checked.control or watch.hosts.get(checked.host) is not checked:
            return
        self._failing.discard(checked)
        checked.failures = 0
        out = not watch.module.policy.takes_calls(checked.host)
        checked.passes = 1 if out and not checked.out else checked.passes + 1
        checked.out = out
        if checked.passes >= watch.check.rise:
            watch.module.policy.check_passed(checked.host)

    def _reached(self, now: float) -> None:
        """A host has answered: the network of this machine works."""
        self._reached_at = now
        if self.network_broken:
            self.network_broken = False
            for failing in self._failing:
                failing.failures = 0
            self._failing.clear()
            self._events.network_works()

    def _failed(self, checked: CheckedHost, outcome: Outcome, now: float) -> None:
        watch, policy = checked.watch, checked.watch.module.policy
        if not checked.failures:
            checked.failing_since = checked.started
            self._failing.add(checked)
        checked.failures += 1
        checked.passes = 0
        check = watch.check
        if check.when == "ejected":
            policy.check_failed(checked.host, outcome.text)
            if now - watch.proved > PROOF and watch.control is None and now >= watch.next_control:
                self._start_control(watch, now)
        elif checked.failures >= check.fall and self._trusted(checked, now):
            policy.check_failed(checked.host, outcome.text, f"{checked.failures} checks in a row failed")
        else:
            policy.check_failed(checked.host, outcome.text)

    def _trusted(self, checked: CheckedHost, now: float) -> bool:
        """Whether it is the host that fails, and not the network of this machine.

        A host has answered a check since the failures began, or the others have had time for one and none is known to
        fail.
        """
        if self._reached_at >= checked.failing_since:
            return True
        check = checked.watch.check
        if check.fall > 1 and now - checked.failing_since < check.interval * (1 - JITTER):
            return False
        failing = {each.host.address for each in self._failing}
        if len(failing) < 2:
            return True
        if not self.network_broken:
            self.network_broken = True
            self._events.network_broken(len(failing))
        return False

    def _start_control(self, watch: Watch, now: float) -> None:
        """Checks a host that takes calls: if that fails too, the check says nothing of the hosts."""
        others = self._others(watch)
        if others:
            watch.control = CheckedHost(self._rng.choice(others), watch, control=True)
            self._schedule.at(watch.control, now)

    def _others(self, watch: Watch) -> list[RoutedHost]:
        hosts = watch.module.hosts.values()
        return [host for host in hosts if host.weight and host not in watch.hosts and host not in watch.suspect]

    def _control_failed(self, control: CheckedHost, outcome: Outcome, now: float) -> None:
        watch = control.watch
        if not watch.hosts:
            return
        watch.suspect.add(control.host)
        if len(watch.suspect) < CONTROLS and self._others(watch):
            self._start_control(watch, now)
            return
        watch.suspect.clear()
        watch.next_control = now + PROOF
        if watch.usable:
            watch.usable = False
            watch.module.policy.use_checks(False, bool(watch.settings["panic"]))
            self._events.unusable(watch.module.id, control.host.address, outcome.text)
