"""httpx, requests and aiohttp against real servers that fail, by a real agent."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import aiohttp
import httpx
import pytest
import requests
from twisted.internet.threads import deferToThread

from lars.client import Host, LarsClient, NoSuchModule
from lars.client.address import parse_agent
from lars.client.agent_inspect import list_hosts
from lars.client.asyncio import LarsClient as AsyncLarsClient
from lars.client.integrations.aiohttp import LarsMiddleware
from lars.client.integrations.httpx import LarsAsyncTransport, LarsTransport
from lars.client.integrations.requests import LarsAdapter, mount
from tests.integration.client.integrations.http_hosts import SLOW, HttpHost
from tests.integration.client.lone_agent import LoneAgent

Answer = tuple[int, str]


class Library(Protocol):
    """A library, for a test that runs in a thread; raises its own errors."""

    errors: type[Exception]
    unsent: type[Exception]

    def __call__(
        self, agent: str, sent: list[tuple[str, str]], is_failure: Callable[[int], bool], authority: Path | None
    ) -> list[Answer | Exception]:
        """Sends requests (method, url) one after another, with a body unless GET; each answer, or its error."""


class Httpx:
    errors: type[Exception] = httpx.TransportError
    unsent: type[Exception] = httpx.ConnectError

    def __call__(
        self, agent: str, sent: list[tuple[str, str]], is_failure: Callable[[int], bool], authority: Path | None
    ) -> list[Answer | Exception]:
        verify = ssl.create_default_context(cafile=authority) if authority else True
        answers: list[Answer | Exception] = []
        inner = httpx.HTTPTransport(verify=verify)
        with (
            LarsClient(agent) as client,
            httpx.Client(transport=LarsTransport(client, inner, is_failure=is_failure)) as http,
        ):
            for method, url in sent:
                try:
                    answer = http.request(method, url, content=None if method == "GET" else b"body")
                    answers.append((answer.status_code, answer.text))
                except httpx.TransportError as error:
                    answers.append(error)
        return answers


class AsyncHttpx:
    errors: type[Exception] = httpx.TransportError
    unsent: type[Exception] = httpx.ConnectError

    def __call__(
        self, agent: str, sent: list[tuple[str, str]], is_failure: Callable[[int], bool], authority: Path | None
    ) -> list[Answer | Exception]:
        verify = ssl.create_default_context(cafile=authority) if authority else True
        answers: list[Answer | Exception] = []

        async def main() -> None:
            async with AsyncLarsClient(agent) as client:
                inner = httpx.AsyncHTTPTransport(verify=verify)
                async with httpx.AsyncClient(
                    transport=LarsAsyncTransport(client, inner, is_failure=is_failure)
                ) as http:
                    for method, url in sent:
                        try:
                            answer = await http.request(method, url, content=None if method == "GET" else b"body")
                            answers.append((answer.status_code, answer.text))
                        except httpx.TransportError as error:
                            answers.append(error)

        asyncio.run(main())
        return answers


class Requests:
    errors: type[Exception] = requests.RequestException
    unsent: type[Exception] = requests.ConnectionError

    def __call__(
        self, agent: str, sent: list[tuple[str, str]], is_failure: Callable[[int], bool], authority: Path | None
    ) -> list[Answer | Exception]:
        answers: list[Answer | Exception] = []
        with LarsClient(agent) as client, requests.Session() as session:
            mount(session, LarsAdapter(client, is_failure=is_failure))
            for method, url in sent:
                try:
                    answer = session.request(
                        method, url, data=None if method == "GET" else b"body", timeout=5,
                        verify=str(authority) if authority else True,
                    )  # fmt: skip
                    answers.append((answer.status_code, answer.text))
                except requests.RequestException as error:
                    answers.append(error)
        return answers


class Aiohttp:
    errors: type[Exception] = aiohttp.ClientError
    unsent: type[Exception] = aiohttp.ClientConnectionError

    def __call__(
        self, agent: str, sent: list[tuple[str, str]], is_failure: Callable[[int], bool], authority: Path | None
    ) -> list[Answer | Exception]:
        answers: list[Answer | Exception] = []
        verify = ssl.create_default_context(cafile=authority) if authority else True

        async def main() -> None:
            async with (
                AsyncLarsClient(agent) as client,
                aiohttp.ClientSession(middlewares=[LarsMiddleware(client, is_failure=is_failure)]) as session,
            ):
                for method, url in sent:
                    try:
                        data = None if method == "GET" else b"body"
                        async with session.request(method, url, data=data, ssl=verify) as answer:
                            answers.append((answer.status, await answer.text()))
                    except aiohttp.ClientError as error:
                        answers.append(error)

        asyncio.run(main())
        return answers


LIBRARIES: dict[str, Library] = {
    "httpx": Httpx(),
    "httpx-async": AsyncHttpx(),
    "requests": Requests(),
    "aiohttp": Aiohttp(),
}


@pytest.fixture(params=LIBRARIES)
def library(request: pytest.FixtureRequest) -> Library:
    return LIBRARIES[request.param]


def server_error(status: int) -> bool:
    return status >= 500


async def errs(agent: LoneAgent, module: str = "1.1") -> dict[str, int]:
    """Failures of each host that the agent has counted."""
    listed = await deferToThread(lambda: list(list_hosts(parse_agent(agent.address), 1.0)))
    return {str(host.address): host.err for host in listed}


async def test_sentgo_to_the_hosts_of_the_module_by_its_name(
    agent: LoneAgent, hosts: list[HttpHost], library: Library
) -> None:
    sent = [("GET", "http://1.1.lars/a/b?c=d%20e")] * 6 + [("GET", f"http://{hosts[0].address}/plain")]
    answers = await deferToThread(library, agent.address, sent, server_error, None)
    assert set(answers[:6]) == {(200, host.address) for host in hosts}
    assert answers[6] == (200, hosts[0].address)
    asked = [one for host in hosts for one in host.asked]
    assert asked.count(("GET", "/a/b?c=d%20e", "1.1.lars")) == 6
    assert asked.count(("GET", "/plain", hosts[0].address)) == 1
    assert set((await errs(agent)).values()) == {0}


@pytest.mark.parametrize("behavior", ["error", "reset"])
async def test_failed_request_is_sent_to_another_host_if_it_may_be_and_reported(
    agent: LoneAgent, hosts: list[HttpHost], library: Library, behavior: str
) -> None:
    bad, good = hosts
    bad.behavior = behavior
    sent = [("GET", "http://1.1.lars/"), ("PUT", "http://1.1.lars/")] * 4
    answers = await deferToThread(library, agent.address, sent, server_error, None)
    assert answers == [(200, good.address)] * len(sent)
    counted = await errs(agent)
    assert counted[bad.address] == len(bad.asked) > 0
    assert counted[good.address] == 0


async def test_request_that_may_not_be_sent_twice_fails_as_that_of_the_library(
    agent: LoneAgent, hosts: list[HttpHost], library: Library
) -> None:
    for host in hosts:
        host.behavior = "reset"
    [answer] = await deferToThread(library, agent.address, [("POST", "http://1.1.lars/")], server_error, None)
    assert isinstance(answer, library.errors), answer
    assert sum(len(host.asked) for host in hosts) == 1
    assert sum((await errs(agent)).values()) == 1


async def test_last_answer_is_returned_though_it_is_an_error_and_the_attempts_are_bounded(
    agent: LoneAgent, hosts: list[HttpHost], library: Library
) -> None:
    for host in hosts:
        host.behavior = "error"
    [answer] = await deferToThread(library, agent.address, [("GET", "http://1.1.lars/")], server_error, None)
    assert isinstance(answer, tuple)
    assert answer[0] == 500
    assert sum(len(host.asked) for host in hosts) == 3


async def test_program_says_which_status_is_a_failure(
    agent: LoneAgent, hosts: list[HttpHost], library: Library
) -> None:
    for host in hosts:
        host.behavior = "error"
    [answer] = await deferToThread(library, agent.address, [("GET", "http://1.1.lars/")], lambda _status: False, None)
    assert isinstance(answer, tuple)
    assert answer[0] == 500
    assert set((await errs(agent)).values()) == {0}


async def test_host_that_refuses_connections_gets_no_request_and_costs_none(
    agent: LoneAgent, hosts: list[HttpHost], library: Library
) -> None:
    dead, good = hosts
    dead.close()
    sent = [("GET", "http://1.1.lars/"), ("POST", "http://1.1.lars/")] * 3
    answers = await deferToThread(library, agent.address, sent, server_error, None)
    assert answers == [(200, good.address)] * 6
    assert (await errs(agent))[dead.address] >= 1


async def test_module_without_hosts_and_a_name_of_no_module_are_errors_of_the_library(
    agent: LoneAgent, library: Library
) -> None:
    sent = [("GET", "http://7.7.lars/"), ("GET", "http://shop.lars/")]
    none, wrong = await deferToThread(library, agent.address, sent, server_error, None)
    assert isinstance(none, library.unsent), none
    assert isinstance(none.__cause__, NoSuchModule)
    assert isinstance(wrong, library.unsent), wrong
    assert "shop.lars names no module: write MODID.CMDID.lars" in str(wrong)


async def test_certificate_is_that_of_the_name(
    tls_agent: LoneAgent, tls_host: HttpHost, certificate: Path, library: Library
) -> None:
    [answer] = await deferToThread(
        library, tls_agent.address, [("GET", "https://1.1.lars/")], server_error, certificate
    )
    assert answer == (200, tls_host.address)
    assert tls_host.server_names == ["1.1.lars"]
    assert tls_host.asked == [("GET", "/", "1.1.lars")]


async def test_body_that_ends_early_is_a_failure_for_httpx(agent: LoneAgent, hosts: list[HttpHost]) -> None:
    for host in hosts:
        host.behavior = "cut"
    for library in (Httpx(), AsyncHttpx()):
        [answer] = await deferToThread(library, agent.address, [("GET", "http://1.1.lars/")], server_error, None)
        assert isinstance(answer, httpx.RemoteProtocolError)
    assert sum((await errs(agent)).values()) == 2


class Recording(LarsClient):
    """Keeps what it reports."""

    def __init__(self, agent: str) -> None:
        super().__init__(agent)
        self.reported: list[tuple[str, int, float | None]] = []

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        self.reported.append((str(host), retcode, cost))
        super().report(host, retcode, cost)


async def test_time_until_the_headers_and_the_status_are_reported(agent: LoneAgent, hosts: list[HttpHost]) -> None:
    for host in hosts:
        host.behavior = "slow"

    def calls() -> list[tuple[str, int, float | None]]:
        with Recording(agent.address) as client:
            with (
                httpx.Client(transport=LarsTransport(client)) as http,
                http.stream("GET", "http://1.1.lars/") as answer,
            ):
                assert not client.reported, "the body may still fail"
                answer.read()
            with mount(requests.Session(), LarsAdapter(client)) as session:
                assert session.get("http://1.1.lars/", timeout=5).status_code == 200
            for host in hosts:
                host.behavior = "error"
            with httpx.Client(transport=LarsTransport(client, attempts=1)) as http:
                http.get("http://1.1.lars/")
            return client.reported

    slow, slow_too, failed = await deferToThread(calls)
    for _host, retcode, cost in (slow, slow_too):
        assert retcode == 0
        assert cost is not None
        assert SLOW <= cost < 5
    assert failed[1] == 500
