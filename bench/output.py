"""How both commands tell their figures: one JSON document on stdout at the end, whatever happened before."""

import json
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from bench.errors import BenchError
from bench.figure import Figure
from bench.machine import facts


@contextmanager
def telling(figures: Sequence[Figure]) -> Iterator[None]:
    """Prints the figures that there are when the block ends, also by a signal, which lets everything be cleaned up."""
    signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        document = {"machine": facts(), "figures": [figure.as_json() for figure in figures]}
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        print(flush=True)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def attempted(figure: Figure) -> Iterator[None]:
    """What keeps a figure from being measured is told with it, and the next one is measured all the same."""
    try:
        yield
    except (BenchError, OSError) as error:
        figure.fail(str(error))


def exit_status(figures: Sequence[Figure]) -> int:
    """1 if a figure could not be measured. A bar that is missed is a result like another."""
    return 1 if any(figure.error for figure in figures) else 0
