"""How the hosts of a module are checked, and what one check has found. Pure.

See docs/design/balancing.md, health checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lars.module_settings import DEFAULTS, Value
from lars.route import HostAddress

CONFIRM = 1.0
"""Seconds, at most, from one check of a host to the next while its checks contradict its state."""


@dataclass(frozen=True, slots=True)
class Check:
    """The check of a module: its settings health_check.*, as lars/module_settings.py describes them.

    Attributes:
        type: "tcp" or "http".
        when: "ejected", "always" or "off".
        path: what http asks for.
        status: what http expects.
        port: the port that is checked; 0 for that of the host.
        interval: seconds from one check of a host to the next.
        timeout: seconds after which a check fails.
        rise: checks in a row that pass before a host is healthy again.
        fall: checks in a row that fail before it is unhealthy.
    """

    type: str
    when: str
    path: str
    status: int
    port: int
    interval: float
    timeout: float
    rise: int
    fall: int

    @classmethod
    def of(cls, settings: Mapping[str, Value | None]) -> Self:
        """The check that a module's settings, with their defaults, ask for."""
        values: dict[str, Any] = {name: settings[f"health_check.{name}"] for name in cls.__dataclass_fields__}
        return cls(**values)

    @property
    def confirm_interval(self) -> float:
        """Seconds from one check of a host to the next while its checks contradict its state.

        HAProxy's `fastinter` and Envoy's edge intervals are the models.
        """
        return min(CONFIRM, self.interval)

    def target(self, address: HostAddress) -> HostAddress:
        """Where a host is checked."""
        return HostAddress(address.ip, self.port or address.port)


DEFAULT_CHECK = Check.of(DEFAULTS)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check has found.

    Attributes:
        kind: one of KINDS.
        text: what is wrong, in a few words of ASCII, such as "http 503"; empty if the check has passed.
    """

    kind: str
    text: str = ""

    @property
    def passed(self) -> bool:
        """Whether the host works."""
        return self.kind == "passed"

    @property
    def answered(self) -> bool:
        """Whether the host has answered, so that there is a way to it and back."""
        return self.kind in ("passed", "status", "invalid")


PASSED = Outcome("passed")

KINDS = ("passed", "refused", "timeout", "unreachable", "status", "invalid", "error")
"""Of the failures: nobody listens; no connection or answer in time; no way there; another status; no HTTP; a bug."""
