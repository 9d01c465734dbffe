"""How many calls the history had, as time went on: what a kill cannot have lost."""

import threading
import time
from collections.abc import Mapping

import pymysql

from tests.drill.fleet import Fleet

PAUSE = 1.0
"""Seconds between two looks."""


class CommittedCounts:
    """Looks at the history over and over; not while the database is away."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._looks: list[tuple[float, Mapping[int, int]]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def end(self) -> None:
        """Looks no more."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def before(self, moment: float) -> Mapping[int, int]:
        """The calls by modid at the last look before a monotonic time; none before the first."""
        return next((counts for at, counts in reversed(self._looks) if at < moment), {})

    def _run(self) -> None:
        while not self._ended.wait(PAUSE):
            try:
                counts = {modid: sum(sums) for modid, sums in self._fleet.history().items()}
            except pymysql.err.MySQLError:
                continue
            self._looks.append((time.monotonic(), counts))
