"""`python -m bench balance`: its options, and what it prints."""

import json
import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import TypeVar

from bench.balance import table
from bench.balance.policies.table import NAMES, policy
from bench.balance.real.clients import CLIENTS
from bench.balance.real.events import EVENTS, Plan
from bench.balance.scenarios import SCENARIOS, Fleet
from bench.errors import BenchError
from lars.errors import LarsError

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
  {", ".join(NAMES[13:17])}
The same, with one more process on each machine that forges failures of the first host:
  {", ".join(NAMES[17:])}

Scenarios:
{chr(10).join(f"  {name:10}{summary}" for name, summary in SCENARIOS.items())}

With --real a real agent, hosts and ten callers run on this machine for some minutes; each event happens to another
host. Of the options with S it takes the first values, and 1 agent. Prints JSON: a list of objects, one for each event
in the simulator and in reality.

Clients:
{chr(10).join(f"  {name:10}{summary}" for name, summary in CLIENTS.items())}

Events:
{chr(10).join(f"  {name:10}{summary}" for name, (summary, _) in EVENTS.items())}
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
    _add_real_options(parser)


def _add_real_options(parser: ArgumentParser) -> None:
    add, clients, events = parser.add_argument, list(CLIENTS), list(EVENTS)
    add("--real", action="store_true", help="real processes, beside the simulator; the following options are for it")
    names = _several(_one_of("client", clients))
    add("--client", type=names, default=["asking", "cached"], metavar="S", help="(default: asking,cached)")
    add("--event", type=_several(_one_of("event", events)), default=events, metavar="S", help="(default: all)")
    add("--warm", type=_count, default=10, metavar="N", help="seconds before the first event (default: 10)")
    add("--fault", type=_count, default=20, metavar="N", help="seconds that each lasts (default: 20)")
    add("--after", type=_count, default=25, metavar="N", help="seconds from its end to the next one (default: 25)")
    add("--callers", type=_count, default=10, metavar="N", help="processes that make the calls (default: 10)")


def run(options: Namespace) -> int:
    """Simulates what the options name and prints it; the exit status."""
    try:
        rows = _real(options) if options.real else _simulated(options)
    except LarsError as error:
        print(f"bench balance: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.json or options.real:
        json.dump(rows, sys.stdout, indent=2)
        print()
    return 0


@contextmanager
def _needs_numpy() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "numpy":
            raise
        raise BenchError("numpy is missing: `make venv` installs it, or `pip install numpy`") from error


def _real(options: Namespace) -> list[dict[str, object]]:
    """All rows of the real runs and of the simulator; each block is shown on standard error as soon as it is known."""
    with _needs_numpy():
        from bench.balance.real.study import compare
    fleet = Fleet(options.hosts[0], 1, options.load[0], options.workers[0], "exponential")
    plan = Plan(fleet, options.event, options.warm, options.fault, options.after)
    size = {"hosts": fleet.hosts, "workers": fleet.workers, "load": fleet.load, "callers": options.callers}
    rows = []
    for block in compare(plan, options.client, options.policy[0], options.callers, options.seeds[0]):
        for row in block:
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row | size | {"fault_seconds": plan.fault, "seed": options.seeds[0]})
    return rows


def _simulated(options: Namespace) -> list[dict[str, object]]:
    """All rows; without --json each block is printed as soon as it is known."""
    with _needs_numpy():
        from bench.balance.study import Case, compare
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
