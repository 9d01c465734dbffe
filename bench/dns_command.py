"""`bench/dns`: the figures of lars-dns."""

import argparse
from collections.abc import Callable, Sequence

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.dns_edits import measure_edits
from bench.figures.dns_fanout import measure_fanout
from bench.figures.dns_load import measure_load
from bench.figures.dns_reconnect import measure_reconnect
from bench.figures.dns_requests import measure_requests
from bench.output import attempted, exit_status, telling
from bench.services.testbed import ENGINES, Ground

FIGURES: dict[str, Callable[[Ground, Figure], None]] = {
    "edit": measure_edits,
    "fanout": measure_fanout,
    "requests": measure_requests,
    "load": measure_load,
    "reconnect": measure_reconnect,
}

_WHAT = """
Measures lars-dns: the real process under twistd, over real sockets of 127.0.0.1, on databases of its own. Prints JSON
to stdout when all is done, and each number, as soon as it is known, to stderr.

  edit       commit of an edit to frame at 100 subscribers, at poll_interval 1 s and 0.1 s
  fanout     one change to 5,000 connections that watch the module
  requests   routes asked for on one connection, pipelined and one at a time
  load       a million routes: start, memory, reload, edit, idle
  reconnect  5,000 agents with 20 modules each come back at once after a kill -9
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the figures named on the command line, or all; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench/dns", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter
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
