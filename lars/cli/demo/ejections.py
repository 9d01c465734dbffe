"""Which nodes are in rotation, told from nothing but the order in which Lars chose them.

With n hosts idle, the balancer gives each of them every n-th request; one that it set aside gets every 11th
(docs/design/balancing.md, classic).
So whoever sees all requests of a module can tell the two apart without asking the agent.
"""

from dataclasses import dataclass
from enum import Enum


class Turn(Enum):
    """What happened to a node's place."""

    SET_ASIDE = "set aside"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Change:
    """A node left the rotation or came back into it.

    A node is set aside from the request after its last regular one, so `number` is that request's and `time` is when
    the last regular one was answered. A node has returned with the first request that it got at the regular pace.
    """

    node: str
    turn: Turn
    number: int
    time: float


@dataclass(slots=True)
class _Place:
    """A node's last choice, whether it is set aside and, if so, the first of its choices that came soon enough."""

    number: int
    time: float
    aside: bool = False
    sooner: tuple[int, float] | None = None


class Rotation:
    """Watches the choices for one module; `changes` are in the order in which they were noticed.

    `longest_gap` is how many requests after its last choice a node in rotation is chosen again at the latest: two
    rounds of four nodes, and less than the 11 of a probe.
    """

    def __init__(self, longest_gap: int = 8) -> None:
        self.changes: list[Change] = []
        self.first_choice: dict[str, float] = {}
        """When each node was chosen for the first time."""
        self._longest_gap = longest_gap
        self._places: dict[str, _Place] = {}

    def chosen(self, number: int, now: float, node: str) -> None:
        """Request `number` got `node` for an answer; the numbers rise by one at a time."""
        for name, place in self._places.items():
            if not place.aside and number - place.number > self._longest_gap:
                place.aside = True
                self.changes.append(Change(name, Turn.SET_ASIDE, place.number + 1, place.time))
        place = self._places.setdefault(node, _Place(number, now))
        self.first_choice.setdefault(node, now)
        if place.aside:
            self._chosen_aside(number, now, node, place)
        place.number, place.time = number, now

    def is_aside(self, node: str) -> bool:
        """Whether the node is only probed, as far as the requests so far show."""
        return node in self._places and self._places[node].aside

    def _chosen_aside(self, number: int, now: float, node: str, place: _Place) -> None:
        """Two choices in a row at the regular pace say that the node is back, from the first of them on."""
        if number - place.number > self._longest_gap:
            place.sooner = None
        elif place.sooner is None:
            place.sooner = (number, now)
        else:
            self.changes.append(Change(node, Turn.RETURNED, *place.sooner))
            place.aside, place.sooner = False, None
