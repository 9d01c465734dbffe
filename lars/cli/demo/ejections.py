"""Detects ejected nodes from the order in which Lars chose them. Pure.

With n healthy hosts, each gets every n-th request; an ejected one gets every 11th (docs/design/balancing.md, classic).
A caller that sees all requests of a module can tell the two apart without asking the agent.
"""

from dataclasses import dataclass
from enum import Enum


class Transition(Enum):
    """How a node's state changed."""

    EJECTED = "ejected"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Change:
    """A node was ejected or restored.

    An ejection starts with the request after the node's last regular one: `number` is that request's, and `time` is
    when the last regular one was answered. A node is restored with the first request that it gets at the regular pace.
    """

    node: str
    transition: Transition
    number: int
    time: float


@dataclass(slots=True)
class _Node:
    """A node's last choice, whether it is ejected and, if so, the first choice that came at the regular pace."""

    number: int
    time: float
    ejected: bool = False
    regular: tuple[int, float] | None = None


class EjectionDetector:
    """Watches the choices for one module; `changes` are in the order of detection.

    A healthy node is chosen again after at most `longest_gap` requests: two rounds of four nodes, and less than the
    11 of a probe.
    """

    def __init__(self, longest_gap: int = 8) -> None:
        self.changes: list[Change] = []
        self.first_choice: dict[str, float] = {}
        """When each node was first chosen."""
        self._longest_gap = longest_gap
        self._nodes: dict[str, _Node] = {}

    def chosen(self, number: int, now: float, node: str) -> None:
        """Request `number` was answered with `node`; the numbers rise by one."""
        for name, state in self._nodes.items():
            if not state.ejected and number - state.number > self._longest_gap:
                state.ejected = True
                self.changes.append(Change(name, Transition.EJECTED, state.number + 1, state.time))
        state = self._nodes.setdefault(node, _Node(number, now))
        self.first_choice.setdefault(node, now)
        if state.ejected:
            self._chosen_while_ejected(number, now, node, state)
        state.number, state.time = number, now

    def is_ejected(self, node: str) -> bool:
        """Whether the node is ejected, as far as the requests so far show."""
        return node in self._nodes and self._nodes[node].ejected

    def _chosen_while_ejected(self, number: int, now: float, node: str, state: _Node) -> None:
        """Two consecutive choices at the regular pace mean that the node is restored, as of the first of them."""
        if number - state.number > self._longest_gap:
            state.regular = None
        elif state.regular is None:
            state.regular = (number, now)
        else:
            self.changes.append(Change(node, Transition.RESTORED, *state.regular))
            state.ejected, state.regular = False, None
