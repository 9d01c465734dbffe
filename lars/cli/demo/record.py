"""What the demo's callers saw: every choice, every failed call, every request that Lars left without a host."""

from collections import Counter, deque

from lars.cli.demo.ejections import Rotation


class Record:
    """Calls by node. Not thread-safe: whoever writes or reads it holds the lock of `Callers`.

    `recent` is over how many of the last seconds `shares` are taken.
    """

    def __init__(self, recent: float = 2.0) -> None:
        self.rotation = Rotation()
        self.calls: Counter[str] = Counter()
        self.failures: dict[str, list[int]] = {}
        """The numbers of each node's failed calls, in the order in which they ended."""
        self.unanswered: Counter[str] = Counter()
        """Calls for which Lars gave no host or took no report, by what it said or did not say."""
        self._recent_seconds = recent
        self._recent: deque[tuple[float, str]] = deque()

    def chosen(self, now: float, node: str) -> int:
        """Lars gave this node for a call; the number of that call, from 1."""
        self.calls[node] += 1
        number = self.calls.total()
        self.rotation.chosen(number, now, node)
        self._recent.append((now, node))
        return number

    def failed(self, number: int, node: str) -> None:
        """Call `number` has ended, and the node did not do what it was asked."""
        self.failures.setdefault(node, []).append(number)

    def failed_calls(self, node: str) -> int:
        return len(self.failures.get(node, ()))

    def recent_calls(self, now: float) -> Counter[str]:
        """Calls of the last seconds by node."""
        while self._recent and self._recent[0][0] < now - self._recent_seconds:
            self._recent.popleft()
        return Counter(node for _when, node in self._recent)

    def rate(self, now: float) -> float:
        """Calls a second, over the last seconds."""
        return self.recent_calls(now).total() / self._recent_seconds
