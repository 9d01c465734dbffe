"""`lars qps`: how many calls a second the agent serves; the C++ tool of that name."""

import click

from lars.cli.agent_client import agent_option
from lars.cli.arguments import NumbersCommand, check_optional, json_option, optional_module_arguments
from lars.cli.load import LoadResult, modules_of, run_load
from lars.cli.terminal.output import print_json
from lars.client.address import AgentAddress
from lars.errors import InvalidRoute

_SHARES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999))


@click.command(cls=NumbersCommand)
@optional_module_arguments
@click.option("--threads", type=click.IntRange(1, 256), default=1, show_default=True, help="Threads in each process.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Python threads share one core.",
)
@click.option("--seconds", type=click.FloatRange(0.1, 3600), default=5.0, show_default=True, help="How long to run.")
@click.option("--cache", is_flag=True, help="Let the clients use their cache, like business processes.")
@agent_option
@json_option
def qps(
    modid: int | None,
    cmdid: int | None,
    threads: int,
    processes: int,
    seconds: float,
    cache: bool,
    agent: AgentAddress,
    as_json: bool,
) -> None:
    """Measure how many cycles of get_host and report the agent serves per second, and how long get_host takes.

    Without a module, thread t asks for module (t, 1), t from 1, like the C++ tool. No host is really called, but the
    agent counts the successes like any others, so use modules that are not in production.

    \b
    Examples:
      lars qps --threads 4
      lars qps 1 1 --processes 2 --seconds 10
    """
    module = check_optional(modid, cmdid)
    if modid is not None and module is None:
        raise InvalidRoute(f"modid {modid} alone is no module: give its cmdid, too")
    modules = [module] * threads if module is not None else modules_of(threads)
    load = run_load(agent, modules, processes, seconds, cache, _print_progress)
    if as_json:
        print_json(as_object(load))
    else:
        click.echo(summary(load))
    if not load.cycles:
        click.get_current_context().exit(1)


def _print_progress(seconds: float, cycles: int) -> None:
    click.echo(f"{seconds:5.1f} s   {cycles / seconds:,.0f} cycles/s", err=True)


def as_object(load: LoadResult) -> dict[str, object]:
    """The result for a script; latencies in µs."""
    latencies = {f"{name}_us": round(load.percentile(share), 1) for name, share in _SHARES}
    return {
        "seconds": round(load.seconds, 3),
        "cycles": load.cycles,
        "cycles_per_s": round(load.rate, 1),
        **latencies,
        "refused": dict(load.refused),
    }


def summary(load: LoadResult) -> str:
    """The result for a person."""
    latencies = ", ".join(f"{name} {load.percentile(share):,.0f}" for name, share in _SHARES)
    refused = "".join(f"; {number} {what}" for what, number in sorted(load.refused.items()))
    rate = f"{load.rate:,.0f} get_host + report cycles/s over {load.seconds:.1f} s"
    return f"{rate}; get_host in µs: {latencies}{refused}"
