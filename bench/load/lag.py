"""How long lars-dns keeps requests waiting: measured from outside every 5 ms, and by its own metric."""

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Self

from bench.errors import BenchError
from bench.exposition import Samples, histogram_percentile
from bench.figure import Figure
from bench.percentile import percentile
from bench.processes.twistd import checkout_environ
from bench.services.lars_dns import LarsDns
from lars.route import ModuleId

METRIC = "lars_reactor_lag_seconds"


@dataclass(frozen=True, slots=True)
class Probed:
    """What a probe found. Each sample is (when due, seconds until answered, seconds sent late)."""

    samples: list[tuple[float, float, float]]

    def between(self, start: float, end: float) -> "Probed":
        """The requests that were due in that time (monotonic)."""
        return Probed([sample for sample in self.samples if start <= sample[0] <= end])

    def add_to(self, figure: Figure, what: str, bars: dict[float, float]) -> None:
        """Adds the latencies to a figure, and how late the probe itself was, which they include."""
        if not self.samples:
            raise BenchError("the probe asked nothing in that time")
        figure.spread(what, [sample[1] * 1000 for sample in self.samples], "ms", (0.5, 0.99, 0.999, 1), bars)
        figure.facts[f"{what}: requests"] = len(self.samples)
        late = [sample[2] * 1000 for sample in self.samples]
        figure.facts[f"{what}: of which the probe was late, ms"] = {
            "p99.9": round(percentile(late, 0.999), 2),
            "max": round(max(late), 2),
        }


class Probe:
    """A process that asks one module's route every 5 ms from the moment when dns can be connected to."""

    def __init__(self, dns: LarsDns, module: ModuleId) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.load.probe", str(dns.port), *map(str, module)],
            env={**os.environ, **checkout_environ()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def connected_at(self, deadline: float) -> float:
        """Waits until it is connected; when (monotonic) that was."""
        output = self._process.stdout
        if output is None or not select.select([output], [], [], deadline)[0]:
            raise BenchError(f"lars-dns does not listen after {deadline:g} s")
        line = output.readline()
        if not line:
            raise BenchError("the probe has failed")
        return float(line)

    def stop(self) -> Probed:
        """Ends it; what it found."""
        output = self._process.communicate(timeout=60)[0]
        if not output:
            raise BenchError("the probe has failed")
        return Probed([(due, latency, late) for due, latency, late in json.loads(output)])


def add_metric(figure: Figure, what: str, before: Samples, after: Samples) -> None:
    """Adds the reactor's lag between two readings by lars-dns's own metric: the bucket's upper limit, in ms."""
    limits = {share: histogram_percentile(METRIC, before, after, share) for share in (0.99, 0.999, 1)}
    figure.facts[f"{what}: metric {METRIC}, at most ms"] = {
        "max" if share == 1 else f"p{share * 100:g}": None if limit is None else _ms(limit)
        for share, limit in limits.items()
    }
    largest = after.values.get("lars_reactor_lag_max_seconds")
    if largest is not None:
        figure.facts[f"{what}: metric lars_reactor_lag_max_seconds (last 60 s), ms"] = round(largest * 1000, 2)


def _ms(limit: float) -> float | str:
    return "above all buckets" if limit == inf else limit * 1000
