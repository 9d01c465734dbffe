"""`bench/web`: the figures of lars-web."""

import argparse
from collections.abc import Callable, Sequence

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.web import measure_pages, measure_registrations, measure_streams
from bench.output import attempted, exit_status, telling
from bench.services.testbed import ENGINES, Ground

FIGURES: dict[str, Callable[[Ground, Figure], None]] = {
    "pages": measure_pages,
    "registrations": measure_registrations,
    "streams": measure_streams,
}

_WHAT = """
Measures lars-web: the real process under twistd, on a database of its own with 100,000 modules and a million rows of
history. Prints JSON to stdout when all is done, and each number, as soon as it is known, to stderr.

  pages          overview, list and module pages at 20 requests a second
  registrations  hosts that register themselves through the API, and their renewals
  streams        live numbers to 200 browsers
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the figures named on the command line, or all; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench/web", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="one or more of the above; all if none is named")
    parser.add_argument("--engine", choices=ENGINES, default="mariadb", help="the database (default: mariadb)")
    parser.add_argument("--small", action="store_true", help="a twentieth of the size, to try the benchmarks out")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.figures if name not in FIGURES]:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(FIGURES)}")
    figures: list[Figure] = []
    with telling(figures):
        try:
            with Ground(chosen.engine, chosen.small) as ground:
                for name in chosen.figures or list(FIGURES):
                    figures.append(Figure(name, chosen.engine))
                    with attempted(figures[-1]):
                        FIGURES[name](ground, figures[-1])
                    ground.end_figure()
        except BenchError as error:  # the engine itself cannot be had
            figures.append(Figure("all", chosen.engine))
            figures[-1].fail(str(error))
    return exit_status(figures)
