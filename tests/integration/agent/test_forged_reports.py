"""One process that forges reports and batches, against a real agent and the calls of two others."""

import socket
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from lars.client import LarsClient
from lars.route import ModuleId, parse_host, shard_of
from lars.wire.lars_pb2 import HostInfo, HostSuccesses, ReportBatch, ReportRequest
from lars.wire.messages import MessageId, encode_message
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService

HOSTS = [parse_host(f"10.0.0.{n}:80") for n in (1, 2, 3)]
MODULE = ModuleId(1, 1)
CALLS = 600


def forged() -> list[bytes]:
    """A failed call of the first host, and a batch by which the others have none."""
    info = HostInfo(ip=HOSTS[0].ip, port=HOSTS[0].port)
    report = ReportRequest(modid=1, cmdid=1, host=info, retcode=1, cost_ms=60_000)
    well = [HostSuccesses(ip=host.ip, port=host.port, succ=1000) for host in HOSTS[1:]]
    batch = ReportBatch(modid=1, cmdid=1, result=well)
    return [
        encode_message(MessageId.REPORT_REQUEST, report),
        encode_message(MessageId.REPORT_BATCH, batch),
    ]


@pytest.mark.parametrize("cache", [False, True], ids=["asking", "cached"])
async def test_forger_ejects_no_host_that_others_call_well_and_leaves_it_half_of_its_calls(
    reactor: Any, start_service: StartService, tmp_path: Path, cache: bool
) -> None:
    agent = LoneAgent(start_service, tmp_path, {MODULE: HOSTS})
    try:
        await agent.up()
        seen = await deferToThread(_call, agent, cache)
        for reason in ("failures", "failures_in_a_row"):
            assert await agent.counted(f'lars_agent_ejections_total{{reason="{reason}"}}') == 0
        assert await agent.counted("lars_agent_reports_total") >= CALLS, "the forged ones arrive"
        assert seen[str(HOSTS[0])] > 0.3 * CALLS / len(HOSTS), seen
        assert sum(seen.values()) == CALLS
    finally:
        agent.close()


def _call(agent: LoneAgent, cache: bool) -> Counter[str]:
    """Makes good calls by two processes in turn, with a forged report and batch after each; how many each host got."""
    seen: Counter[str] = Counter()
    with ExitStack() as stack:
        callers = [stack.enter_context(LarsClient(agent.address, timeout=2, cache=cache)) for _ in range(2)]
        forger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for number in range(CALLS):
            caller = callers[number % 2]
            host = caller.get_host(*MODULE)
            seen[str(host)] += 1
            caller.report(host, cost=0.001)
            for datagram in forged():
                forger.sendto(datagram, ("127.0.0.1", agent.port + shard_of(MODULE, 3)))
    return seen
