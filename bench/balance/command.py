"""`python -m bench balance`: its options, and what it prints."""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from itertools import product
from typing import TypeVar

from bench.balance import table
from bench.balance.policies.table import NAMES, policy
from bench.balance.scenarios import SCENARIOS, Fleet
from bench.errors import BenchError

T = TypeVar("T")

SUMMARY = "balancing policies as callers see them, simulated"

DESCRIPTION = f"""
Simulates agents, hosts and their faults, and shows what callers saw of a policy: lost calls, latencies, how soon a bad
host is left alone and how soon it has its share again. The same seed makes the same calls for every policy. Options
with S take several values with commas between; each combination is simulated. Prints a table, or JSON with --json.

Policies of the project:
  {", ".join(NAMES[:4])}
Policies of others, and the reference `candidate`:
  {", ".join(NAMES[4:9])},
  {", ".join(NAMES[9:13])}
The project's, as four client processes a machine apply them with their cache:
  {", ".join(NAMES[13:])}

Scenarios:
{chr(10).join(f"  {name:10}{summary}" for name, summary in SCENARIOS.items())}
"""

SERVICES = ("exponential", "lognormal", "deterministic", "normal")


def _several(parse: Callable[[str], T]) -> Callable[[str], list[T]]:
    """Parses values with commas between."""

    def values(text: str) -> list[T]:
        return [parse(value) for value in text.split(",")]

    return values


def _one_of(what: str, names: Sequence[str]) -> Callable[[str], str]:
    def name(text: str) -> str:
        if text not in names:
            raise ArgumentTypeError(f"no {what} is called {text}; there are {', '.join(names)}")
        return text

    return name


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text} is not a number from 1 on")
    return int(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text} is not a number from 0 on")
    return int(text)


def _load(text: str) -> float:
    try:
        load = float(text)
    except ValueError:
        load = 0.0
    if not 0 < load <= 10:
        raise ArgumentTypeError(f"{text} is not a share of the hosts' capacity, such as 0.5")
    return load


def add_options(parser: ArgumentParser) -> None:
    """Adds the command's options."""
    add, scenarios = parser.add_argument, list(SCENARIOS)
    policies = _several(_one_of("policy", NAMES))
    add("--policy", type=policies, default=["adaptive"], metavar="S", help="(default: adaptive)")
    add(
        "--scenario",
        type=_several(_one_of("scenario", scenarios)),
        default=scenarios,
        metavar="S",
        help="(default: all)",
    )
    add("--hosts", type=_several(_count), default=[5], metavar="S", help="(default: 5)")
    add("--agents", type=_several(_count), default=[10], metavar="S", help="(default: 10)")
    add("--workers", type=_several(_count), default=[4], metavar="S", help="calls a host serves at a time (default: 4)")
    add("--load", type=_several(_load), default=[0.5], metavar="S", help="share of all capacity (default: 0.5)")
    add("--seeds", type=_several(_seed), default=[1], metavar="S", help="the numbers shown are the means (default: 1)")
    add("--service", choices=SERVICES, default=SERVICES[0], help=f"service times (default: {SERVICES[0]})")
    add("--without-cost", action="store_true", help="callers do not report how long calls take, as C++ ones do not")
    cores = len(os.sched_getaffinity(0))
    add("--jobs", type=_count, default=cores, metavar="N", help="runs at a time (default: one a core)")
    add("--json", action="store_true", help="print a list of objects, one a policy and scenario")


def run(options: Namespace) -> int:
    """Simulates what the options name and prints it; the exit status."""
    try:
        rows = _simulated(options)
    except BenchError as error:
        print(f"bench balance: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json:
        json.dump(rows, sys.stdout, indent=2)
        print()
    return 0


def _simulated(options: Namespace) -> list[dict[str, object]]:
    """All rows; without --json each block is printed as soon as it is known."""
    try:
        from bench.balance.study import Case, compare
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise BenchError("numpy is missing: `make venv` installs it, or `pip install numpy`") from error
    for name in options.policy:
        policy(name)
    sizes = product(options.scenario, options.hosts, options.agents, options.workers, options.load)
    cases = [
        Case(scenario, Fleet(hosts, agents, load, workers, options.service), not options.without_cost)
        for scenario, hosts, agents, workers, load in sizes
    ]
    rows = []
    for block in compare(cases, options.policy, options.seeds, options.jobs):
        rows += block
        if not options.json:
            print(table.block(block), end="\n\n", flush=True)
    return rows
