"""How long the calls of a module take, and how much longer those of one host do."""

from dataclasses import dataclass
from math import exp, inf
from typing import Any

from lars.balancing.record import Record


@dataclass(frozen=True, slots=True)
class LatencySettings:
    """Numbers of the latency rules.

    Attributes:
        smoothing: weight of one call in a host's latency (an exponential moving average).
        band, slack: a host whose latency is below so many times the module's, plus so many seconds, has no penalty.
            Reports carry whole milliseconds, so that less says nothing.
        max_penalty: the largest penalty.
        recent_calls: calls over which the module's latency of now is averaged.
        usual_calls: calls over which its usual latency is averaged.
        warmup_calls: calls before which nothing is concluded.
        slow_times, slow_more: a failed call was slow if it took so many times the usual latency, and so many seconds
            more.
        decay: seconds in which what is left of a slow host's latency decays by e.
    """

    smoothing: float = 0.05
    band: float = 1.25
    slack: float = 0.001
    max_penalty: float = 8.0
    recent_calls: int = 40
    usual_calls: int = 1000
    warmup_calls: int = 50
    slow_times: float = 8.0
    slow_more: float = 0.010
    decay: float = 10.0


class Latency:
    """The latency of a module's successful calls. Costs are in seconds; a cost of 0 is unknown and teaches nothing."""

    __slots__ = ("_settings", "_timed", "recent", "usual")

    def __init__(self, settings: LatencySettings) -> None:
        self._settings = settings
        self._timed = 0
        self.usual = 0.0
        """Mean over the last `usual_calls` or so."""
        self.recent = 0.0
        """Mean over the last `recent_calls` or so."""

    def learn(self, record: Record[Any], cost: float) -> None:
        """Takes the cost of a successful call. A peak counts as twice the mean at most, so that one says little."""
        # Comparisons rather than min and max: this is done for every call.
        settings, timed = self._settings, self._timed
        if timed < settings.usual_calls:
            self._timed = timed = timed + 1
        usual, recent = self.usual, self.recent
        known = timed > settings.warmup_calls
        self.usual = usual + ((2 * usual if known and cost > 2 * usual else cost) - usual) / timed
        calls = settings.recent_calls if timed > settings.recent_calls else timed
        self.recent = recent = recent + ((2 * recent if known and cost > 2 * recent else cost) - recent) / calls
        latency = record.latency
        record.latency = latency = latency + settings.smoothing * (cost - latency) if latency else cost
        if timed >= settings.warmup_calls:
            penalty = latency / (settings.band * recent + settings.slack)
            if penalty <= 1:
                record.penalty = 1.0
            else:
                record.penalty = penalty if penalty < settings.max_penalty else settings.max_penalty

    def is_slow(self, cost: float) -> bool:
        """Whether a failed call took much longer than the module's calls usually do, as a timeout does."""
        return cost > self.slow_from

    @property
    def slow_from(self) -> float:
        """Seconds beyond which a call takes much longer than the module's calls usually do; inf while unknown."""
        settings = self._settings
        if self._timed < settings.warmup_calls:
            return inf
        return max(settings.slow_times * self.usual, self.usual + settings.slow_more)

    def learn_penalty(self, record: Record[Any], penalty: float) -> None:
        """Takes it that a host is as slow as others have found."""
        settings = self._settings
        if penalty != record.penalty and self.recent:
            record.penalty = min(penalty, settings.max_penalty)
            record.latency = record.penalty * (settings.band * self.recent + settings.slack)

    def decay(self, record: Record[Any], seconds: float) -> None:
        """Brings a slow host's latency nearer to the module's, so that it is tried again."""
        if record.penalty > 1:
            settings = self._settings
            top = settings.band * self.recent + settings.slack
            excess = min(record.latency, settings.max_penalty * top) - self.recent
            record.latency = self.recent + excess * exp(-seconds / settings.decay)
            record.penalty = max(1.0, record.latency / top) if top else 1.0

    def learn_mean(self, record: Record[Any], cost: float, calls: int) -> None:
        """Takes the mean cost of some successful calls: what `learn` does with as many calls of this cost.

        But that the latency of the host goes no further than to what has the largest penalty.
        """
        settings, before = self._settings, self._timed
        self._timed = timed = min(before + calls, settings.usual_calls)
        known = timed > settings.warmup_calls
        self.usual = _moved(self.usual, cost, calls, before, settings.usual_calls, known)
        self.recent = _moved(self.recent, cost, calls, before, settings.recent_calls, known)
        top = settings.band * self.recent + settings.slack
        if known:
            cost = min(cost, settings.max_penalty * top)
        record.latency = cost + (record.latency - cost) * (1 - settings.smoothing) ** calls if record.latency else cost
        if timed >= settings.warmup_calls:
            record.penalty = min(settings.max_penalty, max(1.0, record.latency / top))


def _moved(mean: float, cost: float, calls: int, before: int, most: int, known: bool) -> float:
    """A mean over the last `most` calls or so, of which there were `before`, after some calls that cost the same."""
    if known:
        cost = min(cost, 2 * mean)
    before = min(before, most)
    grown = min(before + calls, most)
    keep = before / grown * (1 - 1 / most) ** (calls - (grown - before))
    return cost + (mean - cost) * keep
