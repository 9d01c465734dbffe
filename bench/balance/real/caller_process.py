"""A caller: `python -m bench.balance.real.caller_process CLIENT ADDRESS RATE UNTIL SEED`.

Makes RATE calls a second on average, at random moments (a Poisson process), until the monotonic clock shows UNTIL.
Then it prints its calls as JSON: a list of [when it was made, port of the host or 0, outcome, duration in seconds].
"""

import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench.balance.real.clients import Chooser, chooser
from bench.balance.real.exchange import call
from bench.balance.server import OK, REFUSED

THREADS = 64
"""Calls at a time. More wait, which counts as their duration."""

Row = tuple[float, int, int, float]


class Caller:
    """Makes calls in threads and keeps what became of them."""

    def __init__(self, chooser: Chooser) -> None:
        self.rows: list[Row] = []
        self._chooser = chooser

    def make(self, due: float) -> None:
        """Makes one call, which was due at a time."""
        host = self._chooser.choose()
        if host is None:
            self.rows.append((due, 0, REFUSED, 0.0))
            return
        began = time.monotonic()
        outcome, port = call((host.ip, host.port))
        ended = time.monotonic()
        self._chooser.report(host, outcome != OK, ended - began)
        self.rows.append((due, port or host.port, outcome, ended - due))


def run(caller: Caller, rate: float, until: float, rng: random.Random) -> list[Row]:
    """Makes calls until then; returns them when all have ended. Raises what a call raised."""
    due = time.monotonic()
    with ThreadPoolExecutor(THREADS) as threads:
        made = []
        while (due := due + rng.expovariate(rate)) < until:
            time.sleep(max(0.0, due - time.monotonic()))
            made.append(threads.submit(caller.make, due))
        for each in made:
            each.result()
    return caller.rows


def main(client: str, address: str, rate: str, until: str, seed: str) -> None:
    """Runs a caller to its end."""
    own = chooser(client, address)
    try:
        rows = run(Caller(own), float(rate), float(until), random.Random(int(seed)))
    finally:
        own.close()
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
