"""`bench/agent`: the figures of lars-agent."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.agent_cycles import measure_cycles
from bench.figures.agent_growth import measure_growth
from bench.figures.agent_memory import measure_memory
from bench.output import attempted, exit_status, telling
from bench.services.testbed import ENGINES, Ground

_SOAK_MINUTES = 10.0

Measuring = Callable[[Ground, Figure], None]
"""Measures one figure."""

_WHAT = """
Measures lars-agent: the real process under twistd, with a real lars-dns, lars-reporter and database, over real sockets
of 127.0.0.1. Prints JSON to stdout when all is done, and each number, as soon as it is known, to stderr. Needs a C
compiler.

  cycles   get_host and report by ten business processes at once, beside a program that only receives and sends
  memory   10,000 modules of ten hosts
  growth   of memory under load; only if it is named or with --soak, for it takes ten minutes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the figures named on the command line, or the short ones; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench/agent", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="one or more of the above")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both", help="the database (default: both)")
    parser.add_argument("--small", action="store_true", help="a fraction of the size, to try the benchmarks out")
    parser.add_argument("--soak", action="store_true", help="measures growth as well")
    parser.add_argument(
        "--soak-minutes", type=float, metavar="N", help=f"--soak for N minutes (default: {_SOAK_MINUTES:g})"
    )
    chosen = parser.parse_args(arguments)
    known: dict[str, Measuring] = {
        "cycles": measure_cycles,
        "memory": measure_memory,
        "growth": partial(measure_growth, minutes=chosen.soak_minutes or _SOAK_MINUTES),
    }
    unknown = [name for name in chosen.figures if name not in known]
    if unknown:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(known)}")
    soak = chosen.soak or chosen.soak_minutes
    names = chosen.figures or [name for name in known if soak or name != "growth"]
    figures: list[Figure] = []
    with telling(figures):
        for engine in ENGINES if chosen.engine == "both" else [chosen.engine]:
            _measure(engine, chosen.small, {name: known[name] for name in names}, figures)
    return exit_status(figures)


def _measure(engine: str, small: bool, chosen: Mapping[str, Measuring], figures: list[Figure]) -> None:
    try:
        with Ground(engine, small) as ground:
            for name, measure in chosen.items():
                figure = Figure(name, engine)
                figures.append(figure)
                with attempted(figure):
                    measure(ground, figure)
                ground.end_figure()
    except BenchError as error:  # the engine itself cannot be had
        figures.append(Figure("all", engine))
        figures[-1].fail(str(error))
