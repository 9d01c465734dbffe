"""`bench/reporter`: the figures of lars-reporter."""

import argparse
from collections.abc import Callable, Sequence

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.reporter import measure_age, measure_agents, measure_memory, measure_repeats, measure_rows
from bench.output import attempted, exit_status, telling
from bench.services.testbed import ENGINES, Ground

FIGURES: dict[str, Callable[[Ground, Figure], None]] = {
    "rows": measure_rows,
    "repeats": measure_repeats,
    "age": measure_age,
    "agents": measure_agents,
    "memory": measure_memory,
}

_WHAT = """
Measures lars-reporter: the real process under twistd, with callers that report as lars-agent does, over real sockets of
127.0.0.1, on databases of its own; MariaDB has its commits on the disk before they return. What was acknowledged is
compared with what the database holds. Prints JSON to stdout when all is done, and each number to stderr at once.

  rows       100 callers report on 2,000 hosts in turn: each result is one status row and one history row
  repeats    100 callers report on the same hosts again and again
  age        half of the load of either bar, steadily: arrival to commit
  agents     5,000 agents with ten hosts each, every five seconds
  memory     1,000,000 distinct keys pass through in two minutes
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the figures named on the command line, or all; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench/reporter", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="one or more of the above; all if none is named")
    parser.add_argument("--engine", choices=[*ENGINES, "both"], default="both", help="the database (default: both)")
    parser.add_argument("--small", action="store_true", help="a twentieth of the size, to try the benchmarks out")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.figures if name not in FIGURES]
    if unknown:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(FIGURES)}")
    figures: list[Figure] = []
    with telling(figures):
        for engine in ENGINES if chosen.engine == "both" else [chosen.engine]:
            _measure(engine, chosen.small, chosen.figures or list(FIGURES), figures)
    return exit_status(figures)


def _measure(engine: str, small: bool, names: Sequence[str], figures: list[Figure]) -> None:
    try:
        with Ground(engine, small) as ground:
            for name in names:
                figure = Figure(name, engine)
                figures.append(figure)
                with attempted(figure):
                    FIGURES[name](ground, figure)
                ground.end_figure()
    except BenchError as error:  # the engine itself cannot be had
        figures.append(Figure("all", engine))
        figures[-1].fail(str(error))
