"""The agent for one command: the option that names it, and a client that shows it as it is."""

import logging

import click

from lars.cli.arguments import parsed
from lars.client import LarsClient
from lars.client.address import AGENT_VARIABLE, DEFAULT_AGENT, AgentAddress, parse_agent

agent_option = click.option(
    "--agent",
    metavar="IP:BASEPORT",
    type=parsed(parse_agent),
    envvar=AGENT_VARIABLE,
    default=DEFAULT_AGENT,
    show_default=True,
    show_envvar=True,
    help="The agent to ask.",
)


def uncached_client(agent: AgentAddress) -> LarsClient:
    """A client that asks the agent each time, and uses no saved routes. The caller closes it."""
    logging.getLogger("lars.client").addHandler(logging.NullHandler())  # the command itself reports these errors
    return LarsClient(agent, cache=False, state_dir="")
