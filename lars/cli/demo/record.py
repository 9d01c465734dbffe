"""What the demo's callers saw: every choice of Lars, every failed call, every request without a host. Pure."""

from collections import Counter, deque

from lars.cli.demo.ejections import EjectionDetector


class Record:
    """Calls by node. Not thread-safe: hold the lock of `Callers`. `recent` is in seconds, for `recent_calls`."""

    def __init__(self, recent: float = 2.0) -> None:
        self.ejections = EjectionDetector()
        self.calls: Counter[str] = Counter()
        self.failures: dict[str, list[int]] = {}
        """The numbers of each node's failed calls, in the order in which they ended."""
        self.unanswered: Counter[str] = Counter()
        """Calls for which Lars gave no host or accepted no report, by its error."""
        self._recent_seconds = recent
        self._recent: deque[tuple[float, str]] = deque()

    def chosen(self, now: float, node: str) -> int:
        """Lars chose this node for a call; returns the number of the call, from 1."""
        self.calls[node] += 1
        number = self.calls.total()
        self.ejections.chosen(number, now, node)
        self._recent.append((now, node))
        return number

    def failed(self, number: int, node: str) -> None:
        """Call `number` to the node failed."""
        self.failures.setdefault(node, []).append(number)

    def failed_calls(self, node: str) -> int:
        """How many calls to the node failed."""
        return len(self.failures.get(node, ()))

    def recent_calls(self, now: float) -> Counter[str]:
        """Calls by node in the last `recent` seconds."""
        while self._recent and self._recent[0][0] < now - self._recent_seconds:
            self._recent.popleft()
        return Counter(node for _when, node in self._recent)

    def rate(self, now: float) -> float:
        """Calls a second, in the last `recent` seconds."""
        return self.recent_calls(now).total() / self._recent_seconds
