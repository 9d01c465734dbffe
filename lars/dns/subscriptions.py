"""Which connection gets the changes of which module. An operation costs what it touches, not what exists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from lars.route import ModuleId

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class SubscriptionLimits:
    """How many subscriptions there may be; whoever asks for more is answered without one."""

    of_subscriber: int = 50_000
    """Modules of one subscriber."""
    total: int = 10_000_000
    """Pairs of subscriber and module."""
    unknown: int = 200_000
    """Modules with a subscriber beyond those that have hosts: which of these are asked for is the askers' choice."""


class _Watch(Generic[S]):
    """One module and its subscribers."""

    __slots__ = ("module", "subscribers")

    def __init__(self, module: ModuleId) -> None:
        self.module = module
        self.subscribers: set[S] = set()


class Subscriptions(Generic[S]):
    """Subscribers by module, and modules by subscriber.

    A pair costs an entry in a set and one in a list: 5,000 agents with 1,000 modules each fit a process.

    Args:
        known: the modules that have hosts, kept up to date by its owner.
        limits: see SubscriptionLimits.
    """

    def __init__(self, known: Mapping[ModuleId, object], limits: SubscriptionLimits | None = None) -> None:
        self._known = known
        self._limits = limits or SubscriptionLimits()
        self._watches: dict[ModuleId, _Watch[S]] = {}
        self._watched: dict[S, list[_Watch[S]]] = {}
        self._pairs = 0

    def __len__(self) -> int:
        """How many pairs of subscriber and module there are."""
        return self._pairs

    def subscribe(self, subscriber: S, module: ModuleId) -> bool | None:
        """Subscribes; a second time changes nothing. Whether it is the first time; None if a limit forbids it."""
        watch = self._watches.get(module)
        if watch is not None and subscriber in watch.subscribers:
            return False
        if self._is_over_a_limit(subscriber, module, is_new=watch is None):
            return None
        if watch is None:
            watch = self._watches[module] = _Watch(module)
        watch.subscribers.add(subscriber)
        self._watched.setdefault(subscriber, []).append(watch)
        self._pairs += 1
        return True

    def _is_over_a_limit(self, subscriber: S, module: ModuleId, is_new: bool) -> bool:
        limits = self._limits
        if self._pairs >= limits.total or self.count(subscriber) >= limits.of_subscriber:
            return True
        return is_new and len(self._watches) - len(self._known) >= limits.unknown and module not in self._known

    def unsubscribe(self, subscriber: S, module: ModuleId) -> None:
        """Ends a subscription, if there is one."""
        watch = self._watches.get(module)
        if watch is None or subscriber not in watch.subscribers:
            return
        watched = self._watched[subscriber]
        watched.remove(watch)
        if not watched:
            del self._watched[subscriber]
        self._forget(watch, subscriber)

    def drop(self, subscriber: S) -> None:
        """Ends all subscriptions of a subscriber."""
        for watch in self._watched.pop(subscriber, ()):
            self._forget(watch, subscriber)

    def _forget(self, watch: _Watch[S], subscriber: S) -> None:
        watch.subscribers.remove(subscriber)
        self._pairs -= 1
        if not watch.subscribers:
            del self._watches[watch.module]

    def subscribers(self, module: ModuleId) -> Collection[S]:
        """The subscribers of a module."""
        watch = self._watches.get(module)
        return watch.subscribers if watch is not None else ()

    def count(self, subscriber: S) -> int:
        """How many modules a subscriber has subscribed to."""
        return len(self._watched.get(subscriber, ()))
