"""gRPC channels with real servers, one of which fails, by a real agent."""

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from lars.client import LarsClient, NoSuchModule
from lars.client.address import parse_agent
from lars.client.agent_inspect import list_hosts
from lars.client.integrations.grpc import LarsChannel, NoHost
from lars.route import ModuleId, parse_host
from tests.integration.client.lone_agent import LoneAgent
from tests.integration.fleet import StartService
from tests.integration.waiting import until


class GrpcHost:
    """A server of /shop.Stock: One and Many answer a request once and three times, Sum answers a stream."""

    def __init__(self) -> None:
        self.status: grpc.StatusCode | None = None
        self.calls = 0
        # With SO_REUSEPORT, which gRPC sets, port 0 may be one that a process of another test has.
        self._server = grpc.server(ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
        self._server.add_generic_rpc_handlers((self._methods(),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _methods(self) -> Any:
        def begin(context: grpc.ServicerContext) -> bytes:
            self.calls += 1
            if self.status is not None:
                context.abort(self.status, "as the test says")
            return self.address.encode()

        def one(_request: bytes, context: grpc.ServicerContext) -> bytes:
            return begin(context)

        def many(_request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            for _ in range(3):
                yield begin(context)

        def joined(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            begin(context)
            return b"".join(requests)

        def echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
            begin(context)
            yield from requests

        return grpc.method_handlers_generic_handler(
            "shop.Stock",
            {
                "One": grpc.unary_unary_rpc_method_handler(one),
                "Many": grpc.unary_stream_rpc_method_handler(many),
                "Joined": grpc.stream_unary_rpc_method_handler(joined),
                "Echo": grpc.stream_stream_rpc_method_handler(echo),
            },
        )

    def close(self) -> None:
        self._server.stop(None).wait()


@pytest.fixture
def servers() -> Iterator[list[GrpcHost]]:
    servers = [GrpcHost(), GrpcHost()]
    yield servers
    for server in servers:
        server.close()


@pytest_twisted.async_yield_fixture  # type: ignore[untyped-decorator]  # pytest_twisted has no types
async def agent(start_service: StartService, tmp_path: Path, servers: list[GrpcHost]) -> AsyncIterator[LoneAgent]:
    routes = {ModuleId(1, 1): [parse_host(server.address) for server in servers]}
    agent = LoneAgent(start_service, tmp_path, routes, "--policy=round_robin")
    await agent.up()
    yield agent
    agent.close()


def errs(agent: LoneAgent) -> dict[str, int]:
    return {str(host.address): host.err for host in list_hosts(parse_agent(agent.address), 1.0)}


async def test_every_kind_of_call_goes_to_the_hosts_of_the_module(agent: LoneAgent, servers: list[GrpcHost]) -> None:
    def calls() -> None:
        with LarsClient(agent.address) as client, LarsChannel(client, 1, 1) as channel:
            one = channel.unary_unary("/shop.Stock/One")
            assert {one(b"", timeout=5).decode() for _ in range(8)} == {server.address for server in servers}
            assert one.future(b"", timeout=5).result().decode() in [server.address for server in servers]
            assert len(set(channel.unary_stream("/shop.Stock/Many")(b"", timeout=5))) == 1
            parts = [b"a", b"b", b"c"]
            assert channel.stream_unary("/shop.Stock/Joined")(iter(parts), timeout=5) == b"abc"
            assert list(channel.stream_stream("/shop.Stock/Echo")(iter(parts), timeout=5)) == parts

    await deferToThread(calls)
    assert set(errs(agent).values()) == {0}


async def test_failures_are_reported_and_repeatable_methods_go_to_another_host(
    reactor: Any, agent: LoneAgent, servers: list[GrpcHost]
) -> None:
    bad, good = servers
    bad.status = grpc.StatusCode.UNAVAILABLE

    def calls() -> None:
        with (
            LarsClient(agent.address) as client,
            LarsChannel(client, 1, 1, repeatable=frozenset({"/shop.Stock/One"})) as channel,
        ):
            one = channel.unary_unary("/shop.Stock/One")
            assert [one(b"", timeout=5).decode() for _ in range(6)] == [good.address] * 6

    await deferToThread(calls)
    assert errs(agent)[bad.address] == bad.calls > 0


@pytest.mark.parametrize(("status", "failures"), [(grpc.StatusCode.INTERNAL, 2), (grpc.StatusCode.NOT_FOUND, 0)])
async def test_an_answer_is_no_failure_and_no_call_is_repeated_unasked(
    reactor: Any, agent: LoneAgent, servers: list[GrpcHost], status: grpc.StatusCode, failures: int
) -> None:
    for server in servers:
        server.status = status

    def calls() -> None:
        with LarsClient(agent.address) as client, LarsChannel(client, 1, 1) as channel:
            with pytest.raises(grpc.RpcError) as one:
                channel.unary_unary("/shop.Stock/One")(b"", timeout=5)
            with pytest.raises(grpc.RpcError) as many:
                list(channel.unary_stream("/shop.Stock/Many")(b"", timeout=5))
            assert {one.value.code(), many.value.code()} == {status}

    await deferToThread(calls)
    assert sum(server.calls for server in servers) == 2
    await until(reactor, lambda: sum(errs(agent).values()) == failures, "the failures to be counted")


async def test_host_that_refuses_is_a_failure_and_a_module_without_hosts_an_error_of_grpc(
    agent: LoneAgent, servers: list[GrpcHost]
) -> None:
    dead, good = servers
    dead.close()

    def calls() -> None:
        with (
            LarsClient(agent.address) as client,
            LarsChannel(client, 1, 1, repeatable=frozenset({"/shop.Stock/One"})) as channel,
            LarsChannel(client, 7, 7) as empty,
        ):
            one = channel.unary_unary("/shop.Stock/One")
            assert [one(b"", timeout=5).decode() for _ in range(4)] == [good.address] * 4
            with pytest.raises(NoHost) as error:
                empty.unary_unary("/shop.Stock/One")(b"")
            assert isinstance(error.value.__cause__, NoSuchModule)
            assert error.value.code() is grpc.StatusCode.UNAVAILABLE

    await deferToThread(calls)
    assert errs(agent)[dead.address] >= 1
