"""HealthChecks on a directory of its own, without a reactor: who is checked when, and what is logged."""

import random
from collections.abc import Callable, Iterable

from lars.agent.conf_settings import ConfSettings
from lars.agent.directory import Directory
from lars.agent.health.check import PASSED, Outcome
from lars.agent.health.checks import HealthChecks
from lars.agent.module import Module, RoutedHost
from lars.agent.settings import module_choices
from lars.balancing.host import HostState, StateChange
from lars.balancing.policies import new_policy
from lars.route import HostAddress, ModuleId

M = ModuleId(1, 1)
REFUSED = Outcome("refused", "connection refused")
BUSY = Outcome("status", "http 503")


class Events:
    """What would be logged."""

    def __init__(self) -> None:
        self.seen: list[tuple[object, ...]] = []

    def network_broken(self, hosts: int) -> None:
        self.seen.append(("broken", hosts))

    def network_works(self) -> None:
        self.seen.append(("works",))

    def unusable(self, module: ModuleId, host: HostAddress, what: str) -> None:
        self.seen.append(("unusable", module, what))

    def without_effect(self, module: ModuleId, policy: str) -> None:
        self.seen.append(("without effect", module, policy))


class CheckingAgent:
    """An agent's modules and their checks; `outcome` says what a check of a port finds now."""

    def __init__(self, choices: str = "", policy: str = "adaptive", rate: float = 50.0, seed: int = 1) -> None:
        self.now = 0.0
        self.events = Events()
        self.checked: list[tuple[float, int]] = []
        self.outcome: Callable[[int], Outcome] = lambda _port: PASSED
        self.changes: list[StateChange[RoutedHost]] = []
        rng = random.Random(seed)
        conf = ConfSettings(module_choices(choices), policy)
        self.directory = Directory(lambda _module: new_policy(policy, rng), lambda _module: None)
        self.health = HealthChecks(rate, conf.of, self.events, rng)
        self.directory.add_listener(self.health)

    def module(self, *ports: int, key: ModuleId = M) -> Module:
        """A module with hosts at these ports; again for another route."""
        self.directory.restore(key, [], self.now)
        self.directory.take_route(key, [HostAddress(1, port) for port in ports], 1e9, True, self.now)
        module = self.directory.modules[key]
        self.look()
        return module

    def look(self) -> None:
        self.changes += [change for _key, change in self.directory.sweep(self.directory.modules.values(), self.now)]
        self.health.look(self.directory.modules.values(), self.now)

    def run(self, seconds: float) -> None:
        """Lets time pass; looks once a second, and makes each check when it is due."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, float(int(self.now) + 1))
            while (at := self.health.next_at()) <= self.now:
                checked = self.health.take_due(at)
                if checked is None:
                    continue
                port = checked.target.port
                self.checked.append((at, port))
                self.health.ended(checked, self.outcome(port), at)
            self.look()

    def run_until_checked(self) -> None:
        """Lets time pass until one more check is due and was made."""
        self.run(max(0.0, self.health.next_at() - self.now) + 1e-6)

    def call(self, module: Module, times: int, fails: Iterable[int] = ()) -> list[int]:
        """Calls one after the other, 10 ms apart; the ports that were called."""
        called = []
        for _ in range(times):
            self.now += 0.01
            host = module.pick(0, self.now)
            if host is None:
                called.append(0)
                continue
            called.append(host.address.port)
            module.report(host.address, host.address.port in fails, 0.001, self.now)
        return called

    def eject(self, module: Module, port: int) -> None:
        """Calls have failed at a host until it is ejected."""
        self.call(module, 30)
        for _ in range(2):
            module.report(HostAddress(1, port), True, 0.001, self.now)
        self.look()
        assert self.out(module) == [port], self.out(module)

    @staticmethod
    def out(module: Module) -> list[int]:
        """The ports of the hosts that take no calls."""
        return [address.port for address, state in module.states().items() if state is not HostState.HEALTHY]
