"""`lars bench`: three figures of an agent: cycles per second, get_host latency, CPU time per cycle."""

import os
from pathlib import Path

import click

from lars.cli.agent_client import agent_option
from lars.cli.arguments import json_option
from lars.cli.load import modules_of, run_load
from lars.cli.terminal.output import print_json
from lars.client.address import SHARDS, AgentAddress
from lars.wording import counted

_TICK = os.sysconf("SC_CLK_TCK")


@click.command()
@click.option("--seconds", type=click.FloatRange(0.1, 600), default=5.0, show_default=True, help="How long to run.")
@click.option("--processes", type=click.IntRange(1, 64), default=2, show_default=True, help="Simulated callers.")
@agent_option
@json_option
def bench(seconds: float, processes: int, agent: AgentAddress, as_json: bool) -> None:
    """Measure the agent under load: cycles per second, latency of get_host, CPU time per cycle.

    Modules (1, 1) to (3, 1), one for each shard, must have hosts. No host is really called, but the agent counts the
    successes like any others. The CPU time is read from /proc, and omitted if that does not show the agent's process.

    \b
    Example:
      lars bench --seconds 10 --json
    """
    pids = processes_at(agent)
    before = [cpu_seconds(pid) for pid in pids]
    load = run_load(agent, modules_of(SHARDS), processes, seconds, False, _print_progress)
    used = sum(cpu_seconds(pid) for pid in pids) - sum(before)
    cpu = used / load.cycles * 1e6 if pids and load.cycles else None
    if as_json:
        figures = {
            "cycles_per_s": round(load.rate, 1),
            "get_host_p50_us": round(load.percentile(0.5), 1),
            "get_host_p99_us": round(load.percentile(0.99), 1),
            "agent_cpu_us_per_cycle": None if cpu is None else round(cpu, 2),
            "refused": dict(load.refused),
        }
        print_json(figures)
    else:
        by = counted(processes, "process", "processes")
        click.echo(f"cycles         {load.rate:,.0f} get_host + report per second, by {by}")
        click.echo(f"get_host       p50 {load.percentile(0.5):,.0f} µs, p99 {load.percentile(0.99):,.0f} µs")
        click.echo(f"agent's CPU    {'its process is not visible here' if cpu is None else f'{cpu:.1f} µs per cycle'}")
        for what, number in sorted(load.refused.items()):
            click.echo(f"{what:14} {number} get_hosts")
    if not load.cycles:
        click.get_current_context().exit(1)


def _print_progress(seconds: float, cycles: int) -> None:
    click.echo(f"{seconds:5.1f} s   {cycles / seconds:,.0f} cycles/s", err=True)


def processes_at(agent: AgentAddress) -> list[int]:
    """The processes of this machine that hold the agent's UDP ports, if this user may see them."""
    ports = {agent.port + number for number in range(SHARDS)}
    try:
        rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    except OSError:
        return []
    sockets = {f"socket:[{row[9]}]" for row in rows if int(row[1].rpartition(":")[2], 16) in ports}
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and sockets & _files(entry)]


def _files(process: Path) -> set[str]:
    try:
        return {os.readlink(descriptor) for descriptor in (process / "fd").iterdir()}
    except OSError:
        return set()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, in seconds; 0 for one that has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICK
