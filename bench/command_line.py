"""The command line: `python -m bench COMMAND [FIGURE…]`, a command for each part of Lars."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bench.balance import command as balance
from bench.figure import Figure
from bench.figures import wire
from bench.figures.agent_checks import measure_checks
from bench.figures.agent_cycles import measure_cycles
from bench.figures.agent_growth import measure_growth
from bench.figures.agent_memory import measure_memory
from bench.figures.agent_port import measure_port
from bench.figures.client_cycles import ROUTES, measure_asking, measure_cached, measure_in_flight
from bench.figures.clients import measure_cpp, measure_python
from bench.figures.clients_java import measure_java
from bench.figures.dns_edits import measure_edits
from bench.figures.dns_fanout import measure_fanout
from bench.figures.dns_load import measure_load
from bench.figures.dns_reconnect import measure_reconnect
from bench.figures.dns_requests import measure_requests
from bench.figures.gateway import measure_dns as measure_gateway_dns
from bench.figures.gateway import measure_http
from bench.figures.integrations import measure_httpx
from bench.figures.reporter import measure_age, measure_agents, measure_repeats, measure_rows
from bench.figures.reporter import measure_memory as measure_reporter_memory
from bench.figures.scale_dns import measure_agents as measure_scale_agents
from bench.figures.scale_dns import measure_routes as measure_scale_routes
from bench.figures.scale_reports import measure_reports as measure_scale_reports
from bench.figures.web import measure_pages, measure_registrations, measure_streams
from bench.output import attempted, exit_status, printed
from bench.services.lars_agent import LarsAgent
from bench.services.lars_gateway import LarsGateway
from bench.services.testbed import ENGINES, Testbed
from lars.errors import LarsError

Figures = list[Figure]

SOAK_MINUTES = 10.0

AGENT = """
Measures lars-agent: the real process under twistd, with a real lars-dns, lars-reporter and database, over real sockets
of 127.0.0.1. Prints JSON to stdout at the end, and each number, as soon as it is known, to stderr. Needs a C compiler.

  cycles   get_host and report by ten business processes at once, beside a program that only receives and sends
  port     the same on the agent's own UDP port and on Twisted's, shards alone; only if it is named
  memory   10,000 modules of ten hosts
  checks   health checks at their full rate, 50 a second; only if it is named
  growth   of memory under load; takes ten minutes, so only if it is named or with --soak
"""

CLIENT = """
Measures the Python clients with a real lars-agent, which knows its routes from a file. Prints JSON to stdout at the
end, and each number, as soon as it is known, to stderr. Needs a C compiler.

  asking     the blocking client without its cache, beside a C client: CPU time of get_host and report
  cached     the blocking client choosing by itself, beside a look-up in a dictionary
  in-flight  the asyncio and the Twisted client with 100 calls under way, with and without the cache
"""

CLIENTS = """
Measures the clients of all languages with a real lars-agent, which knows its routes from a file: get_host and the
report of a success, chosen in the process and asked of the agent. Prints JSON to stdout at the end, and each number, as
soon as it is known, to stderr.

  python  the blocking client
  cpp     the C++ client, built for it, beside a C program that asks and reports as the C++ Lars's API does; needs
          g++, cmake and protobuf
  java    the Java client, built for it; needs a JDK, make and protobuf
"""

INTEGRATIONS = """
Measures the integrations with a real lars-agent and a server on 127.0.0.1. Prints JSON to stdout at the end, and each
number, as soon as it is known, to stderr.

  httpx  requests through the transport, beside plain httpx with the same server
"""

DNS = """
Measures lars-dns: the real process under twistd, over real sockets of 127.0.0.1, on databases of its own. Prints JSON
to stdout at the end, and each number, as soon as it is known, to stderr.

  edit       commit of an edit to frame at 100 subscribers, at poll_interval 1 s and 0.1 s
  fanout     one change to 5,000 connections that watch the module
  requests   routes asked for on one connection, pipelined and one at a time
  load       a million routes: start, memory, reload, edit, idle
  reconnect  5,000 agents with 20 modules each come back at once after a kill -9
"""

GATEWAY = """
Measures lars-gateway: the real process under twistd, with a real lars-agent, which knows its routes from a file. Prints
JSON to stdout at the end, and each number, as soon as it is known, to stderr.

  http       a host and the report of its call, one after another on one keep-alive connection
  dns        A records from one socket: as fast as it goes, and at half of the bar
"""

REPORTER = """
Measures lars-reporter: the real process under twistd, with callers that report as lars-agent does, over real sockets of
127.0.0.1, on databases of its own; MariaDB has its commits on the disk before they return. What was acknowledged is
compared with what the database holds. Prints JSON to stdout at the end, and each number, as soon as it is known, to
stderr.

  rows       100 callers report on 2,000 hosts in turn: each result is one status row and one history row
  repeats    100 callers report on the same hosts again and again
  age        half of the load of either bar, steadily: arrival to commit
  agents     5,000 agents with ten hosts each, every five seconds
  memory     1,000,000 distinct keys pass through in two minutes
"""

SCALE = """
Measures what one agent, push, heartbeat, report and change costs, on a database of its own: what `lars plan` computes
with. All agents are connections of one process; as many of the 20,000 as the hard limit of open files permits. Prints
JSON to stdout at the end, and each number, as soon as it is known, to stderr.

  agents   20,000 agents with 20 modules each on one lars-dns: connections, pushes, heartbeats, reconnect
  reports  20,000 agents report to one lars-reporter every ten seconds, on two and on ten hosts
  routes   a million routes, of which 1 % change a minute
"""

WEB = """
Measures lars-web: the real process under twistd, on a database of its own with 100,000 modules and a million rows of
history. Prints JSON to stdout at the end, and each number, as soon as it is known, to stderr.

  pages          overview, list and module pages at 20 requests a second
  registrations  hosts that register themselves through the API, and their renewals
  streams        live numbers to 200 browsers
"""

WIRE = """
Measures the wire protocol: frames of about 12 and about 200 bytes, echoed by a process of its own over one
connection of 127.0.0.1. Prints JSON to stdout at the end, and each number, as soon as it is known, to stderr.
"""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its help, its options, and what it does with them; `run` returns the exit status."""

    summary: str
    description: str
    add_options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def _printing(measure: Callable[[Namespace, Figures], None]) -> Callable[[Namespace], int]:
    """Measures and prints figures; the exit status is 1 if one could not be measured.

    `measure` appends each figure to the list before it is measured, so that an interrupted command still prints it.
    """

    def run(options: Namespace) -> int:
        figures: Figures = []
        with printed(figures):
            measure(options, figures)
        return exit_status(figures)

    return run


def _add_figures(parser: ArgumentParser, names: Sequence[str], unnamed: str = "all") -> None:
    def figure(name: str) -> str:
        if name not in names:
            raise argparse.ArgumentTypeError(f"no figure is called {name}; there are {', '.join(names)}")
        return name

    text = f"one or more of the above (default: {unnamed})"
    parser.add_argument("figures", nargs="*", type=figure, metavar="FIGURE", help=text)
    parser.add_argument("--small", action="store_true", help="a twentieth of the size, to try the benchmarks out")


def _add_engine(parser: ArgumentParser, engines: Sequence[str], default: str) -> None:
    parser.add_argument("--engine", choices=engines, default=default, help=f"the database (default: {default})")


Measure = Callable[[Testbed, Figure], None]


def _measure_on_engines(options: Namespace, chosen: Mapping[str, Measure], figures: Figures) -> None:
    """Measures on each engine that the options name; an engine that cannot be had costs only its own figures."""
    for engine in ENGINES if options.engine == "both" else [options.engine]:
        try:
            with Testbed(engine, options.small) as testbed:
                for name, measure in chosen.items():
                    figures.append(Figure(name, engine))
                    with attempted(figures[-1]):
                        measure(testbed, figures[-1])
                    testbed.end_figure()
        except LarsError as error:
            figures.append(Figure("all", engine))
            figures[-1].fail(str(error))


def _engine_command(
    summary: str, description: str, measures: Mapping[str, Measure], engines: Sequence[str], default: str
) -> Command:
    """A command whose figures are measured on a database."""

    def add_options(parser: ArgumentParser) -> None:
        _add_figures(parser, list(measures))
        _add_engine(parser, engines, default)

    def measure(options: Namespace, figures: Figures) -> None:
        _measure_on_engines(options, {name: measures[name] for name in options.figures or measures}, figures)

    return Command(summary, description, add_options, _printing(measure))


def _add_agent_options(parser: ArgumentParser) -> None:
    _add_figures(parser, ["cycles", "port", "memory", "checks", "growth"], "cycles and memory")
    _add_engine(parser, [*ENGINES, "both"], "both")
    parser.add_argument("--soak", action="store_true", help="measure growth as well")
    parser.add_argument(
        "--soak-minutes", type=float, metavar="N", help=f"--soak for N minutes (default: {SOAK_MINUTES:g})"
    )


def _measure_agent(options: Namespace, figures: Figures) -> None:
    measures: dict[str, Measure] = {
        "cycles": measure_cycles,
        "port": measure_port,
        "memory": measure_memory,
        "checks": measure_checks,
        "growth": partial(measure_growth, minutes=options.soak_minutes or SOAK_MINUTES),
    }
    soak = options.soak or options.soak_minutes
    names = options.figures or ["cycles", "memory", *(["growth"] if soak else [])]
    _measure_on_engines(options, {name: measures[name] for name in names}, figures)


_CLIENT_FIGURES: dict[str, Callable[[LarsAgent, Figure, bool], None]] = {
    "asking": measure_asking,
    "cached": measure_cached,
    "in-flight": measure_in_flight,
}


_CLIENTS_FIGURES: dict[str, Callable[[LarsAgent, Figure, bool], None]] = {
    "python": measure_python,
    "cpp": measure_cpp,
    "java": measure_java,
}


def _measure_clients(
    measures: Mapping[str, Callable[[LarsAgent, Figure, bool], None]], options: Namespace, figures: Figures
) -> None:
    for name in options.figures or measures:
        figures.append(Figure(name, ""))
        with attempted(figures[-1]), LarsAgent.launched(ROUTES) as agent:
            measures[name](agent, figures[-1], options.small)


_GATEWAY_FIGURES: dict[str, Callable[[LarsAgent, LarsGateway, Figure, bool], None]] = {
    "http": measure_http,
    "dns": measure_gateway_dns,
}


def _measure_gateway(options: Namespace, figures: Figures) -> None:
    for name in options.figures or _GATEWAY_FIGURES:
        figures.append(Figure(name, ""))
        with (
            attempted(figures[-1]),
            LarsAgent.launched(ROUTES) as agent,
            LarsGateway(agent.address).launch() as gateway,
        ):
            _GATEWAY_FIGURES[name](agent, gateway, figures[-1], options.small)


def _measure_integrations(options: Namespace, figures: Figures) -> None:
    figures.append(Figure("httpx", ""))
    with attempted(figures[-1]):
        measure_httpx(figures[-1], options.small)


def _add_wire_options(parser: ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=10.0, help="for each size of frame (default: 10)")


def _measure_wire(options: Namespace, figures: Figures) -> None:
    figures.append(Figure("wire", ""))
    with attempted(figures[-1]):
        wire.measure_wire(figures[-1], options.seconds)


COMMANDS = {
    "agent": Command("cycles, memory and its growth", AGENT, _add_agent_options, _printing(_measure_agent)),
    "balance": Command(balance.SUMMARY, balance.DESCRIPTION, balance.add_options, balance.run),
    "client": Command(
        "CPU time and throughput of the Python clients",
        CLIENT,
        lambda parser: _add_figures(parser, list(_CLIENT_FIGURES)),
        _printing(partial(_measure_clients, _CLIENT_FIGURES)),
    ),
    "clients": Command(
        "what a call costs the clients of all languages",
        CLIENTS,
        lambda parser: _add_figures(parser, list(_CLIENTS_FIGURES)),
        _printing(partial(_measure_clients, _CLIENTS_FIGURES)),
    ),
    "dns": _engine_command(
        "edits, fan-out, requests, a million routes, reconnects",
        DNS,
        {
            "edit": measure_edits,
            "fanout": measure_fanout,
            "requests": measure_requests,
            "load": measure_load,
            "reconnect": measure_reconnect,
        },
        [*ENGINES, "both"],
        "both",
    ),
    "gateway": Command(
        "hosts by HTTP and DNS",
        GATEWAY,
        lambda parser: _add_figures(parser, list(_GATEWAY_FIGURES)),
        _printing(_measure_gateway),
    ),
    "integrations": Command(
        "what the integrations add to a request",
        INTEGRATIONS,
        lambda parser: _add_figures(parser, ["httpx"]),
        _printing(_measure_integrations),
    ),
    "reporter": _engine_command(
        "reports a second, their age, memory",
        REPORTER,
        {
            "rows": measure_rows,
            "repeats": measure_repeats,
            "age": measure_age,
            "agents": measure_agents,
            "memory": measure_reporter_memory,
        },
        [*ENGINES, "both"],
        "both",
    ),
    "scale": _engine_command(
        "what an agent, a push, a report and a change cost",
        SCALE,
        {"agents": measure_scale_agents, "reports": measure_scale_reports, "routes": measure_scale_routes},
        ENGINES,
        "mariadb",
    ),
    "web": _engine_command(
        "pages, registrations, live streams",
        WEB,
        {"pages": measure_pages, "registrations": measure_registrations, "streams": measure_streams},
        ENGINES,
        "mariadb",
    ),
    "wire": Command("frames echoed through the wire protocol", WIRE, _add_wire_options, _printing(_measure_wire)),
}


def parser_of(commands: Mapping[str, Command]) -> ArgumentParser:
    """The parser; what it returns has the command's name in `command`."""
    parser = ArgumentParser(prog="python -m bench", description="Measures Lars on this machine.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in commands.items():
        command.add_options(
            subparsers.add_parser(
                name,
                help=command.summary,
                description=command.description,
                formatter_class=argparse.RawDescriptionHelpFormatter,
            )
        )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command that the command line names; returns the exit status."""
    options = parser_of(COMMANDS).parse_args(arguments)
    return COMMANDS[options.command].run(options)
