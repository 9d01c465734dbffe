"""Keeps a process's reactor turns short where the interpreter itself would make them long."""

import gc
import sys

SWITCH_INTERVAL = 0.0005
"""Seconds after which a pool thread that parses rows hands the interpreter to the reactor's; Python's 5 ms would add up
over one turn's system calls, each of which gives it away."""

THRESHOLDS = (50_000, 20, 100)
"""Allocations before a collection of the youngest objects, and so on: a service makes few cycles, and many tuples."""


def tune_gil_and_gc() -> None:
    """Sets the process's switch interval and collector thresholds; call it once, at the start."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*THRESHOLDS)


def freeze_loaded_objects() -> None:
    """Takes all that lives now out of later collections, which would stop the process for as long as it is large."""
    gc.collect()
    gc.freeze()
