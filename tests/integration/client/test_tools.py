"""The tools with a real agent: what `lars simulate`, `qps`, `top` and `bench` print."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from lars.route import HostAddress, ModuleId, parse_host
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import Commands, StartService

A, B = "127.0.0.1:9001", "127.0.0.1:9002"


@pytest.fixture
def lars(agent: LoneAgent, tmp_path: Path) -> Commands:
    return Commands("sqlite:///unused.db", agent.address, tmp_path)


async def test_simulate_fails_one_host_from_a_call_on(classic_agent: LoneAgent, tmp_path: Path) -> None:
    await classic_agent.up()
    lars = Commands("", classic_agent.address, tmp_path)
    plan = ["--err-rate", "0", "--count", "600", "--interval", "0", "--down", A, "--after", "100"]
    printed = await deferToThread(lars.json, "simulate", "1", "1", *plan)
    hosts = {host["host"]: host for host in printed["hosts"]}
    assert hosts[B]["err"] == 0
    assert hosts[A]["succ"] == 50, "every other of the first hundred calls"
    assert 20 <= hosts[A]["err"] < 120, "ejected, and then only probed"
    assert sum(host["succ"] + host["err"] for host in hosts.values()) == 600


async def test_simulate_refuses_contradictory_options(agent: LoneAgent, lars: Commands) -> None:
    await agent.up()
    for options, problem in (
        (["--after", "5"], "give it with --down IP:PORT"),
        (["--down", "10.9.9.9:1"], "10.9.9.9:1 is no host of module (1, 1)"),
    ):
        ended = await deferToThread(lars.run, "simulate", "1", "1", *options)
        assert ended.returncode == 2
        assert problem in ended.stderr


async def test_simulate_draws_shares_and_states_on_a_terminal(classic_agent: LoneAgent, tmp_path: Path) -> None:
    await classic_agent.up()
    command = ["simulate", "1", "1", "--err-rate", "0", "--count", "300", "--interval", "1", "--down", A]
    drawn = await deferToThread(_on_a_terminal, command, classic_agent.address)
    for text in ("module (1, 1), 300 calls", "share", "ejected", "healthy", "0 refused because"):
        assert text in drawn, drawn


async def test_qps_prints_the_rate_and_percentiles_and_shows_progress(agent: LoneAgent, lars: Commands) -> None:
    await agent.up()
    load = ["--threads", "2", "--processes", "2", "--seconds", "1.2"]
    ended = await deferToThread(lars.run, "qps", "1", "1", *load)
    assert ended.returncode == 0, ended.stderr
    assert "get_host + report cycles/s over 1.2 s; get_host in µs: p50 " in ended.stdout
    assert "cycles/s" in ended.stderr.splitlines()[0]
    printed = await deferToThread(lars.json, "qps", "1", "1", *load)
    assert printed["cycles"] > 100
    assert 0 < printed["p50_us"] <= printed["p99_us"] <= printed["p99.9_us"]
    assert printed["refused"] == {}


async def test_qps_counts_what_is_refused(agent: LoneAgent, lars: Commands) -> None:
    await agent.up()
    ended = await deferToThread(lars.run, "qps", "7", "1", "--seconds", "0.3", "--json")
    assert ended.returncode == 1
    printed = json.loads(ended.stdout)
    assert printed["cycles"] == 0
    assert printed["refused"]["no hosts"] > 0


async def test_tools_report_a_missing_agent(lars: Commands) -> None:
    for command in (["qps", "--seconds", "1"], ["bench", "--seconds", "1"], ["top"], ["simulate", "1", "1"]):
        ended = await deferToThread(lars.run, *command)
        assert ended.returncode == 1, command
        (line,) = [line for line in ended.stderr.splitlines() if "cycles/s" not in line]
        assert "cannot be reached (Connection refused)" in line


async def test_top_shows_states_and_rates(classic_agent: LoneAgent, tmp_path: Path, reactor: Any) -> None:
    await classic_agent.up()
    lars = Commands("", classic_agent.address, tmp_path)
    await deferToThread(
        lars.json, "simulate", "1", "1", "--count", "200", "--err-rate", "0", "--interval", "0", "--down", A
    )
    rows = await deferToThread(lars.json, "top", "1", "1", "--count", "2", "--interval", "0.1")
    assert [(row["modid"], row["cmdid"], row["host"], row["state"]) for row in rows] == [
        (1, 1, A, "ejected"),
        (1, 1, B, "healthy"),
    ]
    assert rows[0]["err"] > 0
    assert rows[1]["succ"] > 0
    assert rows[0]["calls_per_s"] == 0.0
    assert rows[0]["failures_in_a_row"] >= 15
    assert sum(row["share"] for row in rows) == pytest.approx(1.0)
    assert await deferToThread(lars.json, "top", "9") == []
    text = await deferToThread(lars.ok, "top", "--interval", "0.1")
    assert text.splitlines()[0].split() == [
        *("MODULE", "HOST", "STATE", "CALLS/S", "FAILED/S", "SUCC", "ERR"),
        *("SHARE", "FAILED", "IN", "A", "ROW", "IN", "FLIGHT", "LATENCY", "NEXT", "PROBE"),
    ]
    drawn = await deferToThread(_on_a_terminal, ["top", "--count", "2", "--interval", "0.1"], classic_agent.address)
    assert "1 modules   2 hosts, 1 ejected" in drawn


async def test_top_lists_more_modules_than_a_page_holds(start_service: StartService, tmp_path: Path) -> None:
    routes = {ModuleId(1, cmdid): [HostAddress((10 << 24) + cmdid, 80)] for cmdid in range(1, 701)}
    agent = LoneAgent(start_service, tmp_path, routes)
    await agent.up()
    rows = await deferToThread(Commands("", agent.address, tmp_path).json, "top", "--interval", "0.1")
    assert sorted(row["cmdid"] for row in rows) == list(range(1, 701))
    agent.close()


async def test_bench_prints_three_figures(start_service: StartService, tmp_path: Path) -> None:
    routes = {ModuleId(modid, 1): [parse_host(A), parse_host(B)] for modid in (1, 2, 3)}
    agent = LoneAgent(start_service, tmp_path, routes)
    await agent.up()
    lars = Commands("", agent.address, tmp_path)
    printed = await deferToThread(lars.json, "bench", "--seconds", "1")
    assert printed["cycles_per_s"] > 100
    assert 0 < printed["get_host_p50_us"] <= printed["get_host_p99_us"]
    assert 0 < printed["agent_cpu_us_per_cycle"] < 10_000
    text = await deferToThread(lars.ok, "bench", "--seconds", "0.3")
    assert [line.split()[0] for line in text.splitlines()] == ["cycles", "get_host", "agent's"]
    agent.close()


def _on_a_terminal(arguments: list[str], agent: str) -> str:
    """What a command draws on a terminal of 100 columns."""
    ours, theirs = pty.openpty()
    environ = {**os.environ, "LARS_AGENT": agent, "PYTHONPATH": str(Path(__file__).parents[3])}
    environ |= {"TERM": "xterm", "COLUMNS": "100", "LINES": "30", "NO_COLOR": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "lars.cli", *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environ
    )
    os.close(theirs)
    drawn = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(ours)
    assert child.wait(30) == 0, drawn
    return drawn.decode()
