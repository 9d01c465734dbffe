"""Every client, with a real agent that is down, killed, restarted, paused, and with one that answers wrongly."""

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from lars.client import AgentUnavailable, Host, NoSuchModule, Overloaded
from lars.client.errors import InvalidArgument
from lars.errors import InvalidRoute, LarsError
from lars.wire.lars_pb2 import GetHostRequest, GetRouteRequest
from lars.wire.messages import Retcode
from tests.integration.client.conftest import MakeClient
from tests.integration.client.drivers import Driver
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.waiting import until
from tests.unit.client.responder import HOST, OTHER, Responder, host_answer, route_answer, serving, silent

ROUTE = {"127.0.0.1:9001", "127.0.0.1:9002"}
SHORT = 0.1
LONG = 20.0
SLACK = 2.0
"""Seconds that a busy machine may add to what has to take no time."""

FIRST_SHARD = (0, 3)


async def hosts_of(client: Driver, calls: int = 10) -> set[str]:
    return {str(await client.get_host()) for _ in range(calls)}


async def test_agent_that_is_down_at_start_falls_back_on_its_saved_routes(
    reactor: Any, agent: LoneAgent, make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(agent=agent.address, timeout=SHORT, state_dir=agent.state_dir)
    with caplog.at_level(logging.INFO, "lars.client"):
        assert await hosts_of(client) == ROUTE
        assert {str(host) for host in await client.get_route()} == ROUTE
        await client.report(await client.get_host())
        logged = [record.getMessage() for record in caplog.records]
        assert len(logged) == 1, logged
        assert f"the agent at 127.0.0.1:{agent.port + 2} cannot be reached" in logged[0]
        assert not client.alive
        await agent.up()

        async def alive() -> bool:
            await client.get_host()
            return client.alive

        await until(reactor, alive, "the client to see that the agent is back", 5)
    assert [record.getMessage() for record in caplog.records][1:] == [
        f"the agent at 127.0.0.1:{agent.port + 2} answers again"
    ]


async def test_without_saved_routes_an_agent_that_is_down_is_an_error_that_says_what_to_do(
    agent: LoneAgent, make_client: MakeClient
) -> None:
    client = make_client(agent=agent.address, timeout=SHORT, state_dir="")
    for ask in (client.get_host, client.get_route, client.register):
        with pytest.raises(AgentUnavailable, match=r"cannot be reached \(Connection refused\): start lars-agent there"):
            await ask(1, 1)
    await agent.up()
    assert str(await client.get_host()) in ROUTE
    assert client.alive


async def test_saved_routes_that_are_damaged_or_name_no_such_module_are_none(
    agent: LoneAgent, make_client: MakeClient
) -> None:
    client = make_client(agent=agent.address, timeout=SHORT, state_dir=agent.state_dir)
    with pytest.raises(AgentUnavailable):
        await client.get_host(7, 1)
    Path(agent.state_dir, "routes.2.json").write_text('{"format": 1, "routes": [{"modid"')
    other = make_client(agent=agent.address, timeout=SHORT, state_dir=agent.state_dir)
    with pytest.raises(AgentUnavailable):
        await other.get_host()


@pytest.mark.parametrize("cache", [True, False])
async def test_agent_killed_under_load_and_started_again_fails_no_call(
    reactor: Any, agent: LoneAgent, make_client: MakeClient, cache: bool
) -> None:
    client = make_client(agent=agent.address, timeout=SHORT, state_dir=agent.state_dir, cache=cache, cache_ttl=0.05)
    process = await agent.up()
    slowest = 0.0
    for _round in range(3):
        for number in range(40):
            if number == 20:
                process.kill()
            began = time.monotonic()
            host = await client.get_host()
            slowest = max(slowest, time.monotonic() - began)
            assert str(host) in ROUTE
            await client.report(host)
        await agent.up()

        async def alive() -> bool:
            await client.get_host()
            return client.alive

        await until(reactor, alive, "the client to see that the agent is back", 5)
    assert slowest < SHORT + SLACK


async def test_paused_agent_costs_one_timeout_and_then_nothing(
    reactor: Any, agent: LoneAgent, make_client: MakeClient
) -> None:
    client = make_client(agent=agent.address, timeout=0.3, state_dir=agent.state_dir, cache=False)
    process = await agent.up()
    await client.get_host()
    process.pause()
    took = []
    for _ in range(30):
        began = time.monotonic()
        assert str(await client.get_host()) in ROUTE
        took.append(time.monotonic() - began)
    assert 0.3 <= took[0] < 0.3 + SLACK
    assert sorted(took)[-2] < 0.3, took
    assert not client.alive
    process.resume()

    async def alive() -> bool:
        await client.get_host()
        return client.alive

    await until(reactor, alive, "the client to see that the agent answers again", 5)


async def test_silent_agent_without_saved_routes_is_an_error_in_time_and_is_asked_twice(
    make_client: MakeClient,
) -> None:
    with Responder(silent) as responder:
        client = make_client(agent=responder.agent, timeout=SHORT, state_dir="", cache=False)
        began = time.monotonic()
        with pytest.raises(AgentUnavailable, match=r"no answer from the agent at .* within 0\.1 s"):
            await client.get_host(*FIRST_SHARD)
        assert SHORT <= time.monotonic() - began < SHORT + SLACK
        assert responder.next() == responder.next()
        assert responder.none_is_left()


async def test_slow_agent_is_waited_for_within_the_timeout(make_client: MakeClient) -> None:
    def slowly(request: GetHostRequest) -> Iterable[bytes]:
        time.sleep(0.05)
        return [host_answer(request, HOST)]

    with Responder(slowly) as responder:
        client = make_client(agent=responder.agent, timeout=LONG, state_dir="", cache=False)
        assert str(await client.get_host(*FIRST_SHARD)) == HOST


async def test_lost_query_is_sent_once_more(make_client: MakeClient) -> None:
    seen: list[GetHostRequest] = []

    def answer(request: GetHostRequest) -> Iterable[bytes]:
        seen.append(request)
        return [] if len(seen) == 1 else [host_answer(request, HOST)]

    with Responder(answer) as responder:
        client = make_client(agent=responder.agent, timeout=2 * SHORT, state_dir="", cache=False)
        assert str(await client.get_host(*FIRST_SHARD)) == HOST


async def test_garbage_old_seqs_and_answers_to_others_are_passed_over(make_client: MakeClient) -> None:
    def answer(request: GetHostRequest) -> Iterable[bytes]:
        yield from [b"", b"\0", b"\xff" * 8, b"\x05\0\0\0\x04\0\0\0\xff\xff\xff\xff", b"x" * 2000]
        yield host_answer(request, OTHER, seq=(request.seq - 1) % 2**32)
        yield host_answer(request, OTHER, seq=(request.seq + 1) % 2**32)
        yield host_answer(request, OTHER, modid=9)
        yield host_answer(request, None, cmdid=9, retcode=3)
        yield host_answer(request, HOST)

    with Responder(answer) as responder:
        client = make_client(agent=responder.agent, timeout=LONG, state_dir="", cache=False)
        for _ in range(3):
            assert str(await client.get_host(*FIRST_SHARD)) == HOST


async def test_late_answer_is_not_taken_for_that_of_a_later_query(make_client: MakeClient) -> None:
    late: list[bytes] = []

    def answer(request: GetHostRequest) -> Iterable[bytes]:
        if len(late) < 2:  # the question, and the same once more
            late.append(host_answer(request, OTHER))
            return []
        return [*late, host_answer(request, HOST)]

    with Responder(answer) as responder:
        client = make_client(agent=responder.agent, timeout=SHORT, state_dir="", cache=False)
        with pytest.raises(AgentUnavailable):
            await client.get_host(*FIRST_SHARD)
        assert str(await client.get_host(*FIRST_SHARD)) == HOST


async def test_answers_from_elsewhere_are_not_believed(make_client: MakeClient) -> None:
    with Responder(serving(OTHER)) as other:

        def answer(request: GetHostRequest) -> Iterable[bytes]:
            peer = responder.sender
            other.socket.sendto(host_answer(request, OTHER), peer)
            return [host_answer(request, HOST)]

        with Responder(answer) as responder:
            client = make_client(agent=responder.agent, timeout=LONG, state_dir="", cache=False)
            for _ in range(3):
                assert str(await client.get_host(*FIRST_SHARD)) == HOST


async def test_refusals_are_errors_of_their_own(classic_agent: LoneAgent, make_client: MakeClient) -> None:
    await classic_agent.up()
    client = make_client(agent=classic_agent.address, timeout=1.0, state_dir=classic_agent.state_dir)
    with pytest.raises(NoSuchModule, match="module \\(7, 1\\) has no hosts that the agent knows of"):
        await client.get_host(7, 1)
    for host in await client.get_route():
        for _ in range(40):
            await client.report(host, 1)
    with pytest.raises(Overloaded, match="module \\(1, 1\\) takes no call now: load is shed"):
        await client.get_host()
    assert client.alive


async def test_ids_that_no_module_can_have_are_refused(make_client: MakeClient) -> None:
    client = make_client(agent="127.0.0.1:1", state_dir="")
    for modid, cmdid in ((-1, 1), (1, -1), (2**31, 1), (0, 0)):
        for ask in (client.get_host, client.get_route, client.register):
            with pytest.raises(InvalidRoute):
                await ask(modid, cmdid)


async def test_first_questions_about_a_module_wait_for_its_hosts(make_client: MakeClient) -> None:
    asked = 0

    def cold(request: Any) -> Iterable[bytes]:
        nonlocal asked
        asked += 1
        hosts = [HOST] if asked > 4 else []
        if isinstance(request, GetHostRequest):
            return [host_answer(request, HOST) if hosts else host_answer(request, None, retcode=Retcode.NOEXIST)]
        return [route_answer(request, *hosts)] if isinstance(request, GetRouteRequest) else []

    with Responder(cold) as responder:
        arguments: dict[str, Any] = {"agent": responder.agent, "timeout": LONG, "state_dir": "", "cache": False}
        with pytest.raises(NoSuchModule):
            await make_client(first_wait=0, **arguments).get_host(*FIRST_SHARD)
        assert asked == 1
        assert str(await make_client(first_wait=LONG, **arguments).get_host(*FIRST_SHARD)) == HOST
        assert asked == 5
        asked = 0
        assert list(map(str, await make_client(first_wait=LONG, **arguments).get_route(*FIRST_SHARD))) == [HOST]


async def test_module_that_had_hosts_or_was_waited_for_is_refused_at_once(make_client: MakeClient) -> None:
    has_hosts = True

    def answer(request: Any) -> Iterable[bytes]:
        if isinstance(request, GetHostRequest):
            return [host_answer(request, HOST) if has_hosts else host_answer(request, None, retcode=Retcode.NOEXIST)]
        return []

    with Responder(answer) as responder:
        arguments: dict[str, Any] = {"agent": responder.agent, "timeout": LONG, "state_dir": "", "cache": False}
        client = make_client(first_wait=LONG, **arguments)
        await client.get_host(*FIRST_SHARD)
        has_hosts = False
        began = time.monotonic()
        with pytest.raises(NoSuchModule):
            await client.get_host(*FIRST_SHARD)
        assert time.monotonic() - began < LONG / 2
        other = make_client(first_wait=SHORT, **arguments)
        for waits in (True, False):
            began = time.monotonic()
            with pytest.raises(NoSuchModule):
                await other.get_host(*FIRST_SHARD)
            assert (time.monotonic() - began >= SHORT * 0.9) == waits


async def test_arguments_of_a_wrong_kind_are_refused_with_a_text(agent: LoneAgent, make_client: MakeClient) -> None:
    await agent.up()
    for cache in (True, False):
        client = make_client(agent=agent.address, cache=cache)
        host = await client.get_host()
        await client.report(host)
        for modid, cmdid in (("1", "1"), (1, None), (1.5, 1), ([1], 1), ("x", {})):
            for ask in (client.get_host, client.get_route, client.register):
                with pytest.raises(InvalidRoute, match="modid and cmdid are whole numbers"):
                    await ask(modid, cmdid)  # type: ignore[arg-type]
        for wrong in ("127.0.0.1:9001", None, ("127.0.0.1", 9001), host.address):
            with pytest.raises(InvalidArgument, match="give the host that get_host returned"):
                await client.report(wrong)  # type: ignore[arg-type]
        for retcode in (True, False, "0", None, 1.0):
            with pytest.raises(InvalidArgument, match="give 0 for a success, another number for a failure"):
                await client.report(host, retcode)  # type: ignore[arg-type]
        for cost in ("0.1", float("nan"), float("inf"), b"1", [1]):
            with pytest.raises(InvalidArgument, match="give the seconds that the call took"):
                await client.report(host, 0, cost)  # type: ignore[arg-type]


async def test_register_waits_for_an_agent_that_starts(agent: LoneAgent, make_client: MakeClient) -> None:
    client = make_client(agent=agent.address, timeout=SHORT, state_dir="")
    agent.start()
    await client.register(timeout=LONG)
    with pytest.raises(NoSuchModule):
        await client.register(7, 1, timeout=SHORT)


async def test_call_reports_success_or_failure_and_retrying_goes_to_another_host(
    reactor: Any, agent: LoneAgent, make_client: MakeClient
) -> None:
    await agent.up()
    client = make_client(agent=agent.address, timeout=1.0, state_dir=agent.state_dir)
    tried: list[Host] = []

    def fail_first(host: Host) -> None:
        tried.append(host)
        if len(tried) == 1:
            raise ConnectionRefusedError

    await client.retry(fail_first, failures=OSError)
    assert len({str(host) for host in tried}) == 2
    await client.call(tried.append)
    with pytest.raises(ZeroDivisionError):
        await client.call(lambda _host: 1 // 0)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await client.call(lambda _host: 1 // 0, failures=OSError)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        await client.retry(lambda _host: 1 // 0, attempts=2)  # type: ignore[arg-type]
    await client.close()

    async def counted() -> bool:
        return await agent.counted("lars_agent_reports_total") == 6

    await until(reactor, counted, "two successes and four failures to be counted")


async def test_everything_gathered_has_reached_the_agent_when_the_client_is_closed(
    reactor: Any, agent: LoneAgent, make_client: MakeClient
) -> None:
    await agent.up()
    client = make_client(agent=agent.address, timeout=1.0, state_dir=agent.state_dir, cache_ttl=60.0)
    for _ in range(500):
        await client.report(await client.get_host())
    assert await agent.counted("lars_agent_reports_total") == 1, "of the call for which the agent chose the host"
    assert await agent.counted("lars_agent_route_states_total") == 1
    await client.close()

    async def counted() -> bool:
        return await agent.counted("lars_agent_reports_total") == 500

    await until(reactor, counted, "500 successes to be counted")
    for ask in (client.get_host, client.get_route):
        with pytest.raises(LarsError, match="this LarsClient is closed"):
            await ask(1, 1)
