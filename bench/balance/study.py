"""Runs of several policies in several scenarios, with several seeds each."""

import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from bench.balance.metrics import Numbers, measure
from bench.balance.policies.table import policy
from bench.balance.scenarios import Fleet, scenario
from bench.balance.simulation import Simulation


@dataclass(frozen=True, slots=True)
class Case:
    """One scenario for one size of fleet, and whether callers report how long their calls take."""

    scenario: str
    fleet: Fleet
    with_cost: bool = True


def run(case: Case, policy_name: str, seed: int) -> Numbers:
    """One run of one policy."""
    what = scenario(case.scenario, case.fleet)
    return measure(what, Simulation(what, policy(policy_name), seed, case.with_cost).run())


def mean(runs: Sequence[Numbers]) -> Numbers:
    """The mean of each number; None where any run has none, so that "never" is not hidden by the other seeds."""
    means: Numbers = {}
    for name in runs[0]:
        values = [number for numbers in runs if (number := numbers[name]) is not None]
        means[name] = round(float(np.mean(values)), 3) if len(values) == len(runs) else None
    return means


def compare(
    cases: Sequence[Case], policies: Sequence[str], seeds: Sequence[int], jobs: int
) -> Iterator[list[dict[str, object]]]:
    """For each case the rows of all policies, as they are printed; `jobs` runs at a time."""
    ignore_interrupts = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C also reaches the workers; this process ends them
    pool = ProcessPoolExecutor(jobs, initializer=signal.signal, initargs=ignore_interrupts) if jobs > 1 else None
    with pool or nullcontext() as executor:
        for case in cases:
            yield _rows(case, policies, seeds, executor)


def _rows(
    case: Case, policies: Sequence[str], seeds: Sequence[int], executor: Executor | None
) -> list[dict[str, object]]:
    names = [name for name in policies for _ in seeds]
    numbers = list((executor.map if executor else map)(run, repeat(case), names, [*seeds] * len(policies)))
    return [
        _row(case, name, seeds, mean(numbers[index * len(seeds) : (index + 1) * len(seeds)]))
        for index, name in enumerate(policies)
    ]


def _row(case: Case, policy_name: str, seeds: Sequence[int], means: Numbers) -> dict[str, object]:
    fleet = case.fleet
    row: dict[str, object] = {"scenario": case.scenario, "policy": policy_name, "hosts": fleet.hosts}
    row |= {"agents": fleet.agents, "workers": fleet.workers, "load": fleet.load, "service": fleet.service}
    return row | {"costs": case.with_cost, "seeds": list(seeds)} | means
