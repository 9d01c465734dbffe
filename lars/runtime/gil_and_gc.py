"""Settings of Python's interpreter lock and garbage collector that keep the reactor's turns short."""

import gc
import sys

SWITCH_INTERVAL = 0.0005
"""Seconds after which a pool thread that parses rows hands the interpreter to the reactor's; Python's 5 ms would add up
over one turn's system calls, each of which gives it away."""

THRESHOLDS = (50_000, 20, 100)
"""Allocations before a collection of the youngest objects, and so on: a service makes few cycles, and many tuples."""


def tune_gil_and_gc() -> None:
    """Sets the switch interval and the collector's thresholds; to be called once, at the start."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.set_threshold(*THRESHOLDS)


def freeze_loaded_objects() -> None:
    """Exempts all objects of now from later collections, whose pauses grow with the number of objects."""
    gc.collect()
    gc.freeze()
