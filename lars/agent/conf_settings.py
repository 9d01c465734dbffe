"""The settings that modules have by the agent's conf file. Pure."""

from collections.abc import Iterable, Mapping

from lars.agent.settings import ModuleChoice
from lars.module_settings import Value, with_defaults
from lars.route import ModuleId


class ConfSettings:
    """The settings of modules that get none from lars-dns.

    Args:
        choices: what the conf file sets for single modules, and for all.
        policy: the agent's default policy.
    """

    def __init__(self, choices: Iterable[ModuleChoice], policy: str) -> None:
        chosen = {choice.module: dict(choice.settings) for choice in choices}
        of_all = chosen.pop(None, {})
        self._of_all = with_defaults(of_all, policy)
        self._of_one = {
            module: with_defaults({**of_all, **own}, policy) for module, own in chosen.items() if module is not None
        }

    def of(self, module: ModuleId) -> Mapping[str, Value]:
        """Every setting of a module with its value: the same object each time."""
        return self._of_one.get(module, self._of_all)
