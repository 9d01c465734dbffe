"""`lars get-host`, `get-route` and `report`: the requests of a business process to its agent."""

import click

from lars.cli.agent_client import FIRST_HOSTS, agent_option, uncached_client
from lars.cli.arguments import HOST, NumbersCommand, json_option, module_arguments
from lars.cli.exit_status import complain
from lars.cli.terminal.output import print_json
from lars.client import Host
from lars.client.address import AgentAddress
from lars.route import HostAddress, module_id

_RETCODE = click.IntRange(-(2**31), 2**31 - 1)


@click.command(cls=NumbersCommand)
@module_arguments
@click.option(
    "--key",
    metavar="KEY",
    help="What the call is about, for consistent_hash: a number from 0 to 2**64 - 1, or any other text, which is "
    "hashed as the clients hash it.",
)
@agent_option
@json_option
def get_host(modid: int, cmdid: int, key: str | None, agent: AgentAddress, as_json: bool) -> None:
    """Ask the agent which host of module (MODID, CMDID) to call now; prints IP:PORT.

    The agent counts it as a call that will be made. The exit status is 1 if every host is ejected.

    \b
    Examples:
      curl "http://$(lars get-host 1 1)/"
      lars get-host 1 1 --key "user 17"
    """
    is_number = key is not None and key.isascii() and key.isdigit()
    with uncached_client(agent) as client:
        client.register(modid, cmdid, FIRST_HOSTS)
        host = client.get_host(modid, cmdid, key=int(key) if key is not None and is_number else key)
    if as_json:
        print_json(_object(host))
    else:
        click.echo(str(host))


@click.command(cls=NumbersCommand)
@module_arguments
@agent_option
@json_option
def get_route(modid: int, cmdid: int, agent: AgentAddress, as_json: bool) -> None:
    """Ask the agent for all hosts of module (MODID, CMDID); prints one IP:PORT per line.

    \b
    Example:
      lars get-route 1 1 --agent 10.0.0.5:8888
    """
    with uncached_client(agent) as client:
        client.register(modid, cmdid, FIRST_HOSTS)
        hosts = client.get_route(modid, cmdid)
    if as_json:
        print_json([_object(host) for host in hosts])
    else:
        click.echo("\n".join(map(str, hosts)))


@click.command(cls=NumbersCommand)
@module_arguments
@click.argument("host", metavar="IP:PORT", type=HOST)
@click.argument("retcode", type=_RETCODE)
@click.option("--cost", type=click.FloatRange(0, 86_400), metavar="SECONDS", help="How long the call took.")
@agent_option
def report(modid: int, cmdid: int, host: HostAddress, retcode: int, cost: float | None, agent: AgentAddress) -> None:
    """Report to the agent how a call to a host of module (MODID, CMDID) went.

    RETCODE is 0 for success, any other number for a failure.

    \b
    Examples:
      lars report 1 1 10.0.0.5:8080 0
      lars report 1 1 10.0.0.5:8080 1 --cost 2.5
    """
    reported = Host(module_id(modid, cmdid), host)
    with uncached_client(agent) as client:
        client.register(modid, cmdid, FIRST_HOSTS)
        known = client.get_route(modid, cmdid)
        client.report(reported, retcode, cost)
    if reported not in known:
        complain(f"note: {host} is no host of module {reported.module}: the report has no effect on balancing")
    click.echo(f"reported {'success' if retcode == 0 else 'failure'} of {host}")


def _object(host: Host) -> dict[str, int | str]:
    return {**host.module._asdict(), "ip": host.ip, "port": host.port}
