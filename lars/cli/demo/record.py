"""What the demo's callers saw: every call, every failed one, every request without a host. Pure."""

from collections import Counter, deque


class Record:
    """Calls by node. Not thread-safe: hold the lock of `Callers`. `recent` is in seconds, for `recent_calls`."""

    def __init__(self, recent: float = 1.0) -> None:
        self.calls: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.first_call: dict[str, float] = {}
        """When each node was first called."""
        self.unanswered: Counter[str] = Counter()
        """Calls for which Lars gave no host or accepted no report, by its error."""
        self._recent_seconds = recent
        self._recent: deque[tuple[float, str]] = deque()

    def called(self, now: float, node: str) -> None:
        """A call to the node begins."""
        self.calls[node] += 1
        self.first_call.setdefault(node, now)
        self._recent.append((now, node))

    def failed(self, node: str) -> None:
        """A call to the node has failed."""
        self.failures[node] += 1

    def recent_calls(self, now: float) -> Counter[str]:
        """Calls by node in the last `recent` seconds."""
        while self._recent and self._recent[0][0] < now - self._recent_seconds:
            self._recent.popleft()
        return Counter(node for _when, node in self._recent)

    def share(self, node: str, now: float) -> float:
        """The node's share of the calls of the last `recent` seconds, 0 to 1."""
        recent = self.recent_calls(now)
        return recent[node] / (recent.total() or 1)

    def rate(self, now: float) -> float:
        """Calls a second, in the last `recent` seconds."""
        return self.recent_calls(now).total() / self._recent_seconds
