"""Who is told of which module's changes; costs what is touched, never what exists."""

from collections.abc import Collection
from typing import Generic, TypeVar

from lars.route import ModuleId

S = TypeVar("S")
K = TypeVar("K")
V = TypeVar("V")


class Subscriptions(Generic[S]):
    """Subscribers by module, and modules by subscriber."""

    def __init__(self) -> None:
        self._subscribers: dict[ModuleId, set[S]] = {}
        self._modules: dict[S, set[ModuleId]] = {}

    def __len__(self) -> int:
        """How many pairs of subscriber and module there are."""
        return sum(map(len, self._modules.values()))

    def subscribe(self, subscriber: S, module: ModuleId) -> None:
        """From now on the subscriber is told of the module; again changes nothing."""
        self._subscribers.setdefault(module, set()).add(subscriber)
        self._modules.setdefault(subscriber, set()).add(module)

    def unsubscribe(self, subscriber: S, module: ModuleId) -> None:
        """The subscriber is no longer told of the module; nothing happens if it was not."""
        self._forget(self._subscribers, module, subscriber)
        self._forget(self._modules, subscriber, module)

    def drop(self, subscriber: S) -> None:
        """The subscriber is gone."""
        for module in self._modules.pop(subscriber, ()):
            self._forget(self._subscribers, module, subscriber)

    def subscribers(self, module: ModuleId) -> Collection[S]:
        """Who is to be told of the module."""
        return self._subscribers.get(module, ())

    def count(self, subscriber: S) -> int:
        """How many modules a subscriber is told of."""
        return len(self._modules.get(subscriber, ()))

    @staticmethod
    def _forget(index: dict[K, set[V]], key: K, value: V) -> None:
        values = index.get(key)
        if values is not None:
            values.discard(value)
            if not values:
                del index[key]
