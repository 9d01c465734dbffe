"""The policy of each module: by what the module sets, the agent's conf file, or the default.

See docs/design/agent.md, settings of modules.
"""

import random
from collections.abc import Callable, Mapping

from lars.agent.conf_settings import ConfSettings
from lars.agent.module import RoutedHost
from lars.agent.settings import AgentSettings
from lars.balancing.ejecting import EjectingPolicy, EjectingSettings
from lars.balancing.ejection import EjectionSettings
from lars.balancing.policies import PICKERS, new_policy
from lars.balancing.policy import Policy
from lars.module_settings import Value, from_json
from lars.route import ModuleId

MAX_SAID = 1_000
"""Faults of settings that are remembered, so that each is logged once; more are not logged."""

MAX_KEPT = 1_000
"""Settings whose meaning is kept: most modules have the same."""


class ModulePolicies:
    """Makes policies, and changes them as the settings of their modules change.

    Args:
        settings: the agent's.
        rng: for the draws of all policies.
        say: called with each fault of a setting, once.
    """

    def __init__(self, settings: AgentSettings, rng: random.Random, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._by_conf = dict(settings.module_policies)
        self._rng = rng
        self._say = say
        self._said: set[str] = set()
        self._conf = ConfSettings(settings.module_settings, settings.default_policy)
        self._kept: dict[tuple[str, str, int], Mapping[str, Value]] = {}
        self._numbers: dict[tuple[Value, ...], EjectingSettings] = {}

    def settings_of(self, module: ModuleId, text: str) -> Mapping[str, Value]:
        """All settings of a module whose route carries a text: what is not set, or cannot be used, has its default."""
        base = self._conf.of(module)
        policy = self._by_conf.get(module, self._settings.default_policy)
        if not text and policy == base["policy"]:
            return base
        found = self._kept.get((text, policy, id(base)))
        if found is None:
            good, problems = from_json(text)
            for problem in problems:
                self._say_once(f"a module's settings: {problem}; the default is used")
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            found = self._kept[text, policy, id(base)] = {**base, "policy": policy, **good}
        return found

    def _say_once(self, fault: str) -> None:
        if fault not in self._said and len(self._said) < MAX_SAID:
            self._said.add(fault)
            self._say(fault)

    def new(self, module: ModuleId) -> Policy[RoutedHost]:
        """The policy of a module of which no settings are known yet."""
        settings = self.settings_of(module, "")
        policy = self._made(str(settings["policy"]))
        self._use_locality(policy, settings)
        return policy

    def _made(self, name: str) -> Policy[RoutedHost]:
        return new_policy(name, self._rng, classic=self._settings.classic)

    def _use_locality(self, policy: Policy[RoutedHost], settings: Mapping[str, Value]) -> None:
        zone = self._settings.zone if settings["locality.enabled"] else ""
        policy.use_locality(zone, float(settings["locality.overprovisioning"]))

    def changed(self, policy: Policy[RoutedHost], settings: Mapping[str, Value]) -> Policy[RoutedHost]:
        """The policy by other settings: the same one, which keeps all that it knows, or a new one without hosts."""
        name = str(settings["policy"])
        if name == "classic":
            return policy if policy.name == name else self._made(name)
        if not isinstance(policy, EjectingPolicy):
            new = self._made(name)
            assert isinstance(new, EjectingPolicy)
            policy = new
        picker = policy.picker if policy.name == name else PICKERS[name](self._rng)
        policy.name = name
        policy.use(picker, self._ejecting(settings))
        self._use_locality(policy, settings)
        return policy

    def _ejecting(self, settings: Mapping[str, Value]) -> EjectingSettings:
        names = ("enabled", "failures_in_a_row", "first_wait", "max_wait")
        enabled, in_a_row, first_wait, max_wait = (settings[f"ejection.{name}"] for name in names)
        ramp = settings["slow_start"]
        key = (enabled, in_a_row, first_wait, max_wait, ramp)
        if key not in self._numbers:
            if len(self._numbers) >= MAX_KEPT:
                self._numbers.clear()
            longest = max(float(first_wait), float(max_wait))
            ejection = EjectionSettings(
                enabled=bool(enabled),
                in_a_row=int(in_a_row),
                first_wait=float(first_wait),
                max_wait=longest,
                max_slow_wait=2 * longest,
                ramp=float(ramp),
            )
            self._numbers[key] = EjectingSettings(ejection=ejection)
        return self._numbers[key]


def client_may_pick(settings: Mapping[str, Value]) -> bool:
    """Whether clients may pick by themselves: they would eject by their own default rules."""
    return bool(settings["client_cache"]) and bool(settings["ejection.enabled"])
