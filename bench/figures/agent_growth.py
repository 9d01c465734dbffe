"""Figure `growth`: whether an agent's memory grows while it is under load for minutes."""

import tempfile
import time
from pathlib import Path
from statistics import median

from bench.figure import Figure
from bench.figures.agent_cycles import ROWS
from bench.load.c_programs import compiled
from bench.load.udp_load import UdpLoad
from bench.load.udp_modules import HOSTS, MODULES
from bench.percentile import percentile
from bench.processes.process_tree import tree_memory_mb
from bench.services.fleet import Fleet
from bench.services.testbed import Testbed

_BAR_MB = 1.0
_FROM = 0.2
"""The share of the time after which growth counts: what is made once is made by then."""

_ROUND = 5.0
"""Seconds of load between two looks at the memory."""

_LOOKS = 3
"""Looks of which the median counts, at either end."""


def measure_growth(testbed: Testbed, figure: Figure, minutes: float) -> None:
    """Growth of resident memory from a fifth of the time to its end: of ten minutes, from the second on."""
    looks: list[float] = []
    seconds = minutes * 60
    with tempfile.TemporaryDirectory(prefix="lars-bench-c-") as folder, Fleet(testbed, 1, ROWS) as fleet:
        fleet.until_answering(MODULES, HOSTS)
        load = UdpLoad(compiled("udpload", Path(folder)), fleet.agent.port, fleet.agent.pid)
        begin = time.monotonic()
        early = 0  # looks before growth counts
        while (passed := time.monotonic() - begin) < seconds:
            load.round(min(_ROUND, seconds / 20))
            looks.append(tree_memory_mb(fleet.agent.pid)[0])
            early += passed < seconds * _FROM
        fleet.until_counted(load.cycles, 60)
    before, after = median(looks[max(0, early - _LOOKS) : early]), median(looks[-_LOOKS:])
    figure.facts |= {
        "minutes": minutes,
        "cycles": load.cycles,
        "from, minutes": round(minutes * _FROM, 2),
        "largest, MiB": round(percentile(looks, 1), 2),
    }
    figure.measure("resident in the end", after, "MiB")
    figure.measure("growth", after - before, "MiB", at_most=_BAR_MB)
