"""The entry point of the `lars` command: the table of its commands, each imported when it is used."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click
from click.core import ParameterSource

from lars import __version__
from lars.cli.exit_status import exit_status
from lars.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "db": LazyCommand("lars.cli.commands.db:db", "Create, upgrade and check the database."),
    "conf": LazyCommand("lars.cli.commands.conf:conf", "Show or copy the conf files of the services."),
    "route": LazyCommand("lars.cli.commands.route:route", "Show and edit which hosts serve a module."),
    "host": LazyCommand("lars.cli.commands.host:host", "Drain a machine: its hosts in all modules."),
    "module": LazyCommand("lars.cli.commands.module:module", "Show and edit the settings of a module."),
    "status": LazyCommand("lars.cli.commands.status:status", "Show how calls to each host went."),
    "history": LazyCommand("lars.cli.commands.history:history", "Show how calls to each host went over time."),
    "find": LazyCommand("lars.cli.commands.find:find", "Find a host or a module by address, name or number."),
    "audit": LazyCommand("lars.cli.commands.audit:audit", "List who edited what, and when."),
    "alarms": LazyCommand("lars.cli.commands.alarms:alarms", "List the active alarms."),
    "agents": LazyCommand("lars.cli.commands.agents:agents", "List the agents that report, and dismiss retired ones."),
    "tls": LazyCommand("lars.cli.commands.tls:tls", "Make certificates for TLS between agents and servers."),
    "user": LazyCommand("lars.cli.commands.user:user", "Manage who may sign in to lars-web."),
    "get-host": LazyCommand("lars.cli.commands.agent:get_host", "Ask the agent which host to call now."),
    "get-route": LazyCommand("lars.cli.commands.agent:get_route", "Ask the agent for all hosts of a module."),
    "report": LazyCommand("lars.cli.commands.agent:report", "Report to the agent how a call to a host went."),
    "register": LazyCommand("lars.cli.commands.register:register", "Run a server and keep it in a module's route."),
    "simulate": LazyCommand("lars.cli.commands.simulate:simulate", "Simulate a caller whose calls fail at random."),
    "qps": LazyCommand("lars.cli.commands.qps:qps", "Measure how many calls a second the agent serves."),
    "top": LazyCommand("lars.cli.commands.top:top", "Watch the agent: modules, hosts, states, rates."),
    "explain": LazyCommand("lars.cli.commands.explain:explain", "Show how the agent would choose a host, and why."),
    "bench": LazyCommand("lars.cli.commands.bench:bench", "Measure the agent: cycles, latency, CPU time."),
    "doctor": LazyCommand("lars.cli.commands.doctor:doctor", "Check this machine, and say what to do."),
    "plan": LazyCommand("lars.cli.commands.plan:plan", "Compute how many services a fleet needs."),
    "completion": LazyCommand("lars.cli.commands.completion:completion", "Print the completion script of a shell."),
    "demo": LazyCommand("lars.cli.demo:demo", "Run all of Lars here and watch it balance."),
}

EPILOG = """\b
Defaults:
  --db URL      or LARS_DB     sqlite:///lars.db (mysql://user:password@host:3306/lars_dns)
  --agent PLACE or LARS_AGENT  127.0.0.1:8888

MODID CMDID can be numbers (1 1) or names (pay.orders).

\b
A first run:
  lars db init
  lars route add 1 1 10.0.0.5:8080 10.0.0.6:8080
  twistd -n lars &
  lars get-host 1 1

Exit status: 0 for success; 1 if the system refuses or cannot be reached; 2 for wrong usage.
"""


@click.group(cls=LazyGroup, commands=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="lars %(version)s")
@click.option(
    "--api",
    metavar="URL",
    envvar="LARS_API",
    help="Edit and read routes by the API of this lars-web instead of the database. [env var: LARS_API]",
)
@click.option(
    "--token-file",
    metavar="FILE",
    envvar="LARS_TOKEN_FILE",
    help="The file that holds the token for --api. [env var: LARS_TOKEN_FILE]",
)
@click.pass_context
def lars(ctx: click.Context, api: str | None, token_file: str | None) -> None:
    """Lars: which host do I call for this service, right now?"""
    if api:
        from lars.cli.arguments import ApiOptions
        from lars.settings import site_url

        explicit = ctx.get_parameter_source("api") is ParameterSource.COMMANDLINE
        ctx.obj = ApiOptions(site_url(api), token_file, explicit)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command line, by default that of sys.argv, and exits."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # ? for what the terminal's encoding lacks
    sys.exit(exit_status(lars, arguments))
