"""Which connection gets the changes of which module. An operation costs what it touches, not what exists."""

from collections.abc import Collection
from typing import Generic, TypeVar

from lars.route import ModuleId

S = TypeVar("S")


class _Watch(Generic[S]):
    """One module and its subscribers."""

    __slots__ = ("module", "subscribers")

    def __init__(self, module: ModuleId) -> None:
        self.module = module
        self.subscribers: set[S] = set()


class Subscriptions(Generic[S]):
    """Subscribers by module, and modules by subscriber.

    A pair costs an entry in a set and one in a list: 5,000 agents with 1,000 modules each fit a process.
    """

    def __init__(self) -> None:
        self._watches: dict[ModuleId, _Watch[S]] = {}
        self._watched: dict[S, list[_Watch[S]]] = {}
        self._pairs = 0

    def __len__(self) -> int:
        """How many pairs of subscriber and module there are."""
        return self._pairs

    def subscribe(self, subscriber: S, module: ModuleId) -> bool:
        """Subscribes; a second time changes nothing. Whether it is the first time."""
        watch = self._watches.get(module)
        if watch is None:
            watch = self._watches[module] = _Watch(module)
        if subscriber not in watch.subscribers:
            watch.subscribers.add(subscriber)
            self._watched.setdefault(subscriber, []).append(watch)
            self._pairs += 1
            return True
        return False

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
