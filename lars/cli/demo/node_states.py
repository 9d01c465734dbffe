"""How the states of the nodes change, by what the agent says of them. Pure.

The agent is looked at several times a second, as by `lars explain`. What a look shows began since the look before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from lars.cli.demo.record import Record


class Transition(Enum):
    """What happened to a node."""

    EJECTED = "ejected"
    PROBE_FAILED = "probe failed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a node, when it was seen, and how many calls to the node had failed by then."""

    node: str
    transition: Transition
    time: float
    failures: int


@dataclass(slots=True)
class _Ejected:
    """The calls to an ejected node, and the failed ones, until its ejection or last failed probe was seen."""

    calls: int
    failures: int


class NodeStates:
    """Compares each look at the agent with the one before; `changes` are in the order of detection."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self._ejected: dict[str, _Ejected] = {}

    def observe(self, now: float, ejected: Mapping[str, bool], record: Record) -> list[Change]:
        """Takes whether the agent has each node ejected, and what the callers saw until then; returns what is new."""
        found = []
        for node, is_ejected in ejected.items():
            transition = self._transition(node, is_ejected, record)
            if transition is not None:
                found.append(Change(node, transition, now, record.failures[node]))
        self.changes += found
        return found

    def is_ejected(self, node: str) -> bool:
        """Whether the agent had the node ejected at the last look."""
        return node in self._ejected

    def _transition(self, node: str, is_ejected: bool, record: Record) -> Transition | None:
        before, now = self._ejected.get(node), _Ejected(record.calls[node], record.failures[node])
        if before is None:
            if is_ejected:
                self._ejected[node] = now
                return Transition.EJECTED
            return None
        if not is_ejected:
            del self._ejected[node]
            return Transition.RESTORED
        if now.calls > before.calls and now.failures > before.failures:  # an ejected node's calls are probes
            self._ejected[node] = now
            return Transition.PROBE_FAILED
        return None
