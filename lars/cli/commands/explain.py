"""`lars explain`: how the agent would choose a host of a module now, and why."""

from collections.abc import Sequence

import click

from lars.cli.agent_client import agent_option
from lars.cli.arguments import NumbersCommand, json_option, module_arguments
from lars.cli.terminal.host_state import host_state
from lars.cli.terminal.output import print_json, print_table
from lars.client.address import AgentAddress
from lars.client.agent_inspect import HostExplanation, explain_module
from lars.client.errors import NoSuchModule
from lars.route import module_id

TIMEOUT = 1.0
"""Seconds until an unanswered query fails."""

COLUMNS = ("HOST", "STATE", "SHARE", "FAILED", "IN A ROW", "IN FLIGHT", "LATENCY", "NEXT PROBE", "WHY")


@click.command(cls=NumbersCommand)
@module_arguments
@agent_option
@json_option
def explain(modid: int, cmdid: int, agent: AgentAddress, as_json: bool) -> None:
    """Show how the agent would choose a host of module (MODID, CMDID) now, and why.

    SHARE is the share of calls that a host would get. FAILED counts the recent calls by which it is judged. The agent
    is only looked at: the command counts as no call. Ejected hosts are listed first.

    \b
    Examples:
      lars explain 1 1
      lars explain 1 1 --json
    """
    module = module_id(modid, cmdid)
    found = explain_module(agent, module, TIMEOUT)
    if not found.hosts:
        raise NoSuchModule(
            f"the agent has no hosts of module {module}: it gets them with the first call; "
            f"`lars get-host {modid} {cmdid}` makes one"
        )
    hosts = sorted(found.hosts, key=lambda host: (not host.ejected, host.address))
    if as_json:
        print_json([{"modid": modid, "cmdid": cmdid, "policy": found.policy, **json_object(host)} for host in hosts])
        return
    click.echo(f"module {module}, policy {found.policy}")
    print_table(COLUMNS, [row(host) for host in hosts])


def json_object(host: HostExplanation) -> dict[str, object]:
    """A host as --json prints it; times are in seconds."""
    return {
        "host": str(host.address),
        "state": host_state(host.ejected),
        "share": round(host.share, 4),
        "calls": round(host.calls, 1),
        "failures": round(host.failures, 1),
        "failures_in_a_row": host.failures_in_a_row,
        "in_flight": host.in_flight,
        "latency": _rounded(host.latency, 6),
        "next_probe": _rounded(host.next_probe, 1),
        "why": host.why,
    }


def row(host: HostExplanation) -> Sequence[object]:
    """A host as the table shows it; - for what is not known."""
    return (
        str(host.address),
        host_state(host.ejected),
        f"{host.share:.1%}",
        f"{host.failures:.0f} of {host.calls:.0f}",
        host.failures_in_a_row,
        "-" if host.in_flight is None else host.in_flight,
        "-" if host.latency is None else f"{host.latency * 1000:.1f} ms",
        "-" if host.next_probe is None else f"{host.next_probe:.1f} s",
        host.why,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
