"""The agent for one command: the option that names it, and a client that shows it as it is.

An agent that is being started in this folder is waited for.
"""

import logging
import socket

import click

from lars.cli.arguments import parsed
from lars.cli.starting import wait_while_starting
from lars.client import LarsClient
from lars.client.address import AGENT_VARIABLE, DEFAULT_AGENT, SHARDS, AgentAddress, parse_agent
from lars.client.agent_inspect import ModuleListQuery

FIRST_HOSTS = 2.0
"""Seconds to wait for the hosts of a module: lars-dns looks for edits every second."""


def _once_started(_context: click.Context, _option: click.Parameter, agent: AgentAddress) -> AgentAddress:
    wait_while_starting(lambda: not _is_refused(agent))
    return agent


def _is_refused(agent: AgentAddress) -> bool:
    """Whether the kernel refuses what is sent to the agent, as that of this machine does at once if none runs."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect((agent.ip, agent.port + SHARDS - 1))  # it is opened last
            probe.send(ModuleListQuery(0, 0).datagrams[0])
            probe.recv(1)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


agent_option = click.option(
    "--agent",
    metavar="IP:BASEPORT",
    type=parsed(parse_agent),
    envvar=AGENT_VARIABLE,
    default=DEFAULT_AGENT,
    show_default=True,
    show_envvar=True,
    callback=_once_started,
    help="The agent to ask.",
)


def uncached_client(agent: AgentAddress) -> LarsClient:
    """A client that asks the agent each time, and uses no saved routes. The caller closes it."""
    logging.getLogger("lars.client").addHandler(logging.NullHandler())  # the command itself reports these errors
    return LarsClient(agent, cache=False, state_dir="")
