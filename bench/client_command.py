"""`bench/client`: the figures of the Python clients."""

import argparse
from collections.abc import Callable, Sequence

from bench.errors import BenchError
from bench.figure import Figure
from bench.figures.client_cycles import measure_asking, measure_cached, measure_in_flight
from bench.output import attempted, exit_status, telling
from bench.services.lone_agent import ClientGround

Measuring = Callable[[ClientGround, Figure], None]
"""Measures one figure."""

_KNOWN: dict[str, Measuring] = {
    "asking": measure_asking,
    "cached": measure_cached,
    "in-flight": measure_in_flight,
}

_WHAT = """
Measures the Python clients with a real lars-agent, which knows its routes from a file. Prints JSON to stdout when all
is done, and each number, as soon as it is known, to stderr. Needs a C compiler.

  asking     the blocking client without its cache, beside a C client: CPU time of get_host and report
  cached     the blocking client choosing by itself, beside a look-up in a dictionary
  in-flight  the asyncio and the Twisted client with 100 calls under way, with and without the cache
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures the figures named on the command line, or all; the exit status."""
    parser = argparse.ArgumentParser(
        prog="bench/client", description=_WHAT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="one or more of the above")
    parser.add_argument("--small", action="store_true", help="a fraction of the size, to try the benchmarks out")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in chosen.figures if name not in _KNOWN]
    if unknown:
        parser.error(f"no figure is called {unknown[0]}; there are {', '.join(_KNOWN)}")
    figures: list[Figure] = []
    with telling(figures):
        try:
            with ClientGround(chosen.small) as ground:
                for name in chosen.figures or _KNOWN:
                    figure = Figure(name, "")
                    figures.append(figure)
                    with attempted(figure):
                        _KNOWN[name](ground, figure)
        except BenchError as error:
            figures.append(Figure("all", ""))
            figures[-1].fail(str(error))
    return exit_status(figures)
