"""What every command prints: one JSON document on stdout at the end, whatever happened before."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from bench.figure import Figure
from bench.machine import facts
from lars.errors import LarsError


@contextmanager
def printed(figures: Sequence[Figure]) -> Iterator[None]:
    """Prints the figures that there are when the block ends, also by SIGTERM or SIGINT, which run the clean-up too."""
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    try:
        yield
    finally:
        document = {"machine": facts(), "figures": [figure.as_json() for figure in figures]}
        json.dump(document, sys.stdout, indent=2, ensure_ascii=False)
        print(flush=True)


def _exit(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


@contextmanager
def attempted(figure: Figure) -> Iterator[None]:
    """Records in the figure what keeps it from being measured, so that the next one still is."""
    try:
        yield
    except (LarsError, OSError, subprocess.SubprocessError) as error:
        figure.fail(str(error))


def exit_status(figures: Sequence[Figure]) -> int:
    """1 if a figure could not be measured. A bar that is missed is a result like another."""
    return 1 if any(figure.error for figure in figures) else 0
