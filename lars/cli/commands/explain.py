"""`lars explain`: how the agent would choose a host of a module now, and why."""

import click

from lars.balancing.host import HostState
from lars.cli.agent_client import agent_option
from lars.cli.arguments import NumbersCommand, json_option, module_arguments
from lars.cli.terminal.explained import COLUMNS, explained_cells, explained_json
from lars.cli.terminal.output import print_json, print_table
from lars.client.address import AgentAddress
from lars.client.agent_inspect import explain_module
from lars.client.errors import NoSuchModule
from lars.route import module_id

TIMEOUT = 1.0
"""Seconds until an unanswered query fails."""


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
    hosts = sorted(found.hosts, key=lambda host: (host.state is HostState.HEALTHY, host.address))
    if as_json:
        of_module = {**module._asdict(), "policy": found.policy}
        print_json(
            [
                {**of_module, "host": str(host.address), "state": host.condition.word, **explained_json(host)}
                for host in hosts
            ]
        )
        return
    click.echo(f"module {module}, policy {found.policy}")
    print_table(
        ("HOST", "STATE", *COLUMNS, "WHY"),
        [(str(host.address), host.condition.word, *explained_cells(host), host.why) for host in hosts],
    )
