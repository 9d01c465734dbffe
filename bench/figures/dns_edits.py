"""Figure `edit`: from the commit of an edit to its frame at a subscriber."""

import random
import threading
import time

from bench.errors import BenchError
from bench.figure import Figure
from bench.load.agents import Agents
from bench.load.routes import Routes, edit_number
from bench.machine import allow_open_files
from bench.percentile import percentile
from bench.services.database import RouteDatabase
from bench.services.dns_client import Answer
from bench.services.testbed import Testbed

_SUBSCRIBERS = 100
_ROUTES = Routes(modules=50)
_BARS = ((1.0, 120, 1.10), (0.1, 240, 0.15))  # poll_interval, edits, seconds at p99 at most


class Editor(threading.Thread):
    """Makes one edit after the other, each at a random moment of dns's polling."""

    def __init__(self, database: RouteDatabase, count: int, mean_pause: float) -> None:
        super().__init__(name="editor", daemon=True)
        self._database = database
        self._count = count
        self._mean_pause = mean_pause
        self.committed: dict[int, float] = {}
        """When (monotonic) the commit of each edit, numbered from 1, returned."""
        self.error = ""

    @property
    def longest(self) -> float:
        """Seconds that all edits take at most, if the database is not slow."""
        return self._count * 2 * self._mean_pause

    def run(self) -> None:
        try:
            for number in range(1, self._count + 1):
                time.sleep(random.uniform(0, 2 * self._mean_pause))
                edit = _ROUTES.edit(number % _ROUTES.modules, number)
                self.committed[number] = self._database.edit(edit)
        except Exception as error:
            self.error = f"an edit failed: {error}"


def measure_edits(testbed: Testbed, figure: Figure) -> None:
    """100 subscribers to all modules, edits of one module each, at two poll intervals."""
    allow_open_files(2 * _SUBSCRIBERS + 200)
    figure.facts["subscribers"] = _SUBSCRIBERS
    for poll_interval, count, bar in _BARS:
        _at_interval(testbed, figure, poll_interval, testbed.size(count), bar)


def _at_interval(testbed: Testbed, figure: Figure, poll_interval: float, count: int, bar: float) -> None:
    database = testbed.database()
    database.fill(_ROUTES.rows(), _ROUTES.settings())
    dns = testbed.dns(database, poll_interval)
    dns.start()
    dns.until_answering(_ROUTES.module(0), 30)
    requests = [_ROUTES.requests(0, _ROUTES.modules)] * _SUBSCRIBERS
    with Agents(dns.port, requests, dns.frame_size(_ROUTES.module(0))) as agents:
        agents.connect()
        agents.await_frames(_ROUTES.modules, 30)
        agents.forget()
        editor = Editor(database, count, poll_interval / 3)
        editor.start()
        try:
            agents.await_frames(count, editor.longest + 20)
        except BenchError as error:
            raise BenchError(editor.error or str(error)) from None
        editor.join()
        pushes = list(agents.answers())
    dns.close()
    delays = [[when - editor.committed[_number(push)] for when, push in each] for each in pushes]
    all_delays = [delay for each in delays for delay in each]
    what = f"commit to frame, poll_interval {poll_interval:g} s"
    figure.spread(what, all_delays, "s", (0.5, 0.99, 1), {0.99: bar})
    figure.facts[what] = {
        "edits": count,
        "frames": len(all_delays),
        "p99 of the slowest subscriber": round(max(percentile(each, 0.99) for each in delays), 4),
    }


def _number(push: Answer) -> int:
    """The number of the edit that a push is of; raises BenchError if its route is not what that edit made."""
    number = edit_number(push)
    if number < 1 or not _ROUTES.is_route(push, number):
        raise BenchError(f"a push for module {push.module} is not what an edit made: {push.hosts}")
    return number
