"""The examples in the clients' docstrings, run as they stand against a real agent."""

import asyncio
import doctest
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.threads import blockingCallFromThread, deferToThread

import lars.client.asyncio
import lars.client.blocking
import lars.client.host
import lars.client.twisted
import lars.client.watch
from lars.client import LarsClient
from tests.integration.client.lone_agent import LoneAgent

PUBLIC = ["get_host", "report", "get_route", "ready", "watch", "call", "retrying"]


def run_examples(module: ModuleType, names: dict[str, Any]) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    tried = 0
    said: list[str] = []
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, extraglobs=names):
        tried += runner.run(test, out=said.append, clear_globs=False).attempted
    assert tried
    assert not said, "".join(said)


@pytest.mark.parametrize("module", [lars.client.host, lars.client.blocking, lars.client.asyncio, lars.client.watch])
async def test_examples_do_what_they_say(agent: LoneAgent, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    await agent.up()
    monkeypatch.setenv("LARS_AGENT", agent.address)
    with LarsClient() as client:
        await deferToThread(run_examples, module, {"client": client, "asyncio": asyncio})


async def test_examples_of_the_twisted_client_do_what_they_say(
    reactor: Any, agent: LoneAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    await agent.up()
    monkeypatch.setenv("LARS_AGENT", agent.address)

    def run(main: Callable[[Any], Coroutine[Any, Any, Any]]) -> None:
        blockingCallFromThread(reactor, Deferred.fromCoroutine, main(reactor))

    await deferToThread(run_examples, lars.client.twisted, {"run": run})


def test_every_public_call_has_an_example() -> None:
    for module in (lars.client.blocking, lars.client.asyncio, lars.client.twisted):
        client: Any = module.LarsClient
        for name in PUBLIC:
            text = getattr(client, name).__doc__ or ""
            assert ">>>" in text, f"{module.__name__} {name}"
