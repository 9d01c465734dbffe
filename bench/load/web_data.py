"""The fleet that the console is measured on: modules with hosts, and a history of their calls."""

import random
import time
from collections.abc import Iterator

from lars.db.engine import Transaction

HOSTS = 3
"""Hosts of each module."""

HISTORY = 24 * 60
"""Minutes over which the history is spread."""


def routes(modules: int) -> Iterator[tuple[int, int, int, int]]:
    """Rows of RouteData."""
    for n in range(modules):
        for host in range(HOSTS):
            yield 1 + n // 1000, n % 1000, 167772160 + n * HOSTS + host, 8080


def fill_history_txn(txn: Transaction, modules: int, rows: int, part: int, parts: int) -> None:
    """One part of the history: of every minute, some modules; a few of their calls failed."""
    now = int(time.time()) // 60 * 60
    chance = random.Random(part)
    made = []
    for number in range(part, rows, parts):
        n = (number * 7919) % modules
        minute = now - 60 * (number % HISTORY)
        host = (number // modules) % HOSTS
        ip = 167772160 + n * HOSTS + host
        made.append((minute, 1 + n // 1000, n % 1000, ip, 8080, chance.randrange(1000), int(number % 50 == 0)))
    columns = ["minute", "modid", "cmdid", "ip", "port", "succ_cnt", "err_cnt", "approximate"]
    txn.execute_many(txn.engine.insert_ignore("ServerCallHistory", columns), [(*row, 0) for row in made])
