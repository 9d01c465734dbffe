"""Makes the faults of a schedule, and notes when each really began and ended."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.processes.child_process import ChildProcess
from bench.processes.twistd import checkout_environ
from bench.processes.waiting import until
from tests.drill.chaos.schedule import Fault, Happened, Kind
from tests.drill.network import Cut, Network
from tests.drill.processes import READY
from tests.integration.stepped_clock import SteppedClock

DELAY, LOSS = 0.04, 0.05
"""Seconds, and the share of packets, of bad weather."""


@dataclass(frozen=True, slots=True)
class Target:
    """A process that may be killed and stopped, and what its log says once it answers after a start."""

    process: ChildProcess
    answers: str


class Faults:
    """Makes faults.

    Args:
        network: whose links they hit.
        targets: the processes that may be killed and stopped.
        clocks: of the zones' services.
        disks: of the zones' services: file systems that hold little.
        folder: for logs.
    """

    def __init__(
        self,
        network: Network,
        targets: Mapping[str, Target],
        clocks: Mapping[str, SteppedClock],
        disks: Mapping[str, Path],
        folder: Path,
    ) -> None:
        self._network = network
        self._targets = targets
        self._answers_before: dict[str, int] = {}
        self._clocks = clocks
        self._disks = disks
        self._folder = folder
        self._weather: dict[str, ChildProcess] = {}
        self._under_way: dict[Fault, Happened] = {}
        self.happened: list[Happened] = []
        self.deaths: list[str] = []
        """Processes that ended by themselves."""

    def run(self, schedule: Sequence[Fault], say: Callable[[str], None]) -> None:
        """Makes all faults; returns when the last has ended, and all processes answer."""
        start = time.monotonic()
        steps = sorted(
            [(fault.begin, 1, n) for n, fault in enumerate(schedule)]
            + [(fault.end, 0, n) for n, fault in enumerate(schedule)]
        )
        for at, is_begin, number in steps:
            while (now := time.monotonic()) < start + at:
                self._look()
                time.sleep(min(0.1, start + at - now))
            if is_begin:
                say(str(schedule[number]))
                self._begin(schedule[number])
            else:
                self._end(schedule[number])
        until(self._all_answer, "all processes to answer again", 2 * READY, 0.1)

    @contextmanager
    def making(self, fault: Fault) -> Iterator[None]:
        """Makes one fault for as long as the context lasts, whatever its times are."""
        self._begin(fault)
        try:
            yield
        finally:
            self._end(fault)

    def _all_answer(self) -> bool:
        self._look()
        return not self._under_way

    def _begin(self, fault: Fault) -> None:
        self._under_way[fault] = happened = Happened(fault, time.monotonic())
        self.happened.append(happened)
        match fault.kind:
            case Kind.KILL:
                self._targets[fault.target].process.kill()
            case Kind.STOP:
                self._targets[fault.target].process.pause()
            case Kind.PARTITION:
                self._network.partition(*fault.target.split("-"))
            case Kind.CUT:
                self._network.cut(fault.target, Cut.DOWN)
            case Kind.WEATHER:
                self._begin_weather(fault.target)
            case Kind.CLOCK:
                self._clocks[fault.target].set(fault.amount)
            case Kind.DISK:
                _fill(self._disks[fault.target] / "filler")

    def _end(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                self._start(self._targets[fault.target])
                return  # `_look` sees when it answers
            case Kind.STOP:
                self._targets[fault.target].process.resume()
            case Kind.PARTITION:
                self._network.join(*fault.target.split("-"))
            case Kind.CUT:
                self._network.reconnect(fault.target)
            case Kind.WEATHER:
                self._network.join(*fault.target.split("-"))
                self._weather.pop(fault.target).close()
            case Kind.CLOCK:
                self._clocks[fault.target].set(0)
            case Kind.DISK:
                (self._disks[fault.target] / "filler").unlink()
        self._under_way.pop(fault).ended = time.monotonic()

    def _begin_weather(self, pair: str) -> None:
        """The router drops the packets, and a process that sees them passes them on."""
        zones = [self._network.zones[name] for name in pair.split("-")]
        ways = [text for zone in zones for text in (zone.link, zone.subnet)]
        command = [sys.executable, "-m", "tests.drill.chaos.weather", *ways, str(DELAY), str(LOSS)]
        self._weather[pair] = weather = ChildProcess(f"weather-{pair}", command, self._folder, checkout_environ())
        weather.start()
        self._network.partition(*pair.split("-"))

    def _start(self, target: Target) -> None:
        process = target.process
        self._answers_before[process.name] = process.log().count(target.answers)
        process.start()

    def _look(self) -> None:
        """Notes who answers again after a kill, and starts again who has ended by itself."""
        down = {fault.target: fault for fault in self._under_way if fault.kind is Kind.KILL}
        for name, target in self._targets.items():
            before, process = self._answers_before.get(name), target.process
            if process.status is not None and (name not in down or before is not None):
                self.deaths.append(f"{name} ended by itself, with status {process.status}: {process.last_lines()}")
                self._start(target)
            elif name in down and before is not None and process.log().count(target.answers) > before:
                del self._answers_before[name]
                self._under_way.pop(down[name]).ended = time.monotonic()

    def close(self) -> None:
        """Ends the weather."""
        for weather in self._weather.values():
            weather.close()


def _fill(file: Path) -> None:
    """Writes until the disk is full."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        return
    finally:
        os.close(descriptor)
