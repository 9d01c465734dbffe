"""The three clients behind one face, so that one suite holds them to the same behaviour."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from twisted.internet.threads import deferToThread

from lars.client import Host, LarsClient
from lars.client.asyncio import LarsClient as AsyncioClient
from lars.client.key import Key
from lars.client.twisted import LarsClient as TwistedClient
from lars.client.watched_route import Route

T = TypeVar("T")

Work = Callable[[Host], None]
"""What a test does with a host; it may raise."""


class Driver(Protocol):
    """One client, driven from the reactor."""

    @property
    def alive(self) -> bool: ...
    async def get_host(self, modid: int = 1, cmdid: int = 1, key: Key | None = None) -> Host: ...
    async def get_route(self, modid: int = 1, cmdid: int = 1) -> list[Host]: ...
    async def register(self, modid: int = 1, cmdid: int = 1, timeout: float = 1.0) -> None: ...
    async def watch(self, seen: list[Route]) -> None: ...
    async def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None: ...
    async def call(self, work: Work, failures: type[Exception] = Exception, key: Key | None = None) -> None: ...
    async def retry(self, work: Work, attempts: int = 3, failures: type[Exception] = Exception) -> None: ...
    async def close(self) -> None: ...
    async def end(self) -> None: ...


class BlockingDriver:
    """The blocking client, each call in a thread."""

    def __init__(self, **arguments: Any) -> None:
        self._client = LarsClient(**arguments)

    @property
    def alive(self) -> bool:
        return self._client.agent_alive

    async def get_host(self, modid: int = 1, cmdid: int = 1, key: Key | None = None) -> Host:
        return await deferToThread(self._client.get_host, modid, cmdid, key=key)

    async def get_route(self, modid: int = 1, cmdid: int = 1) -> list[Host]:
        return await deferToThread(self._client.get_route, modid, cmdid)

    async def register(self, modid: int = 1, cmdid: int = 1, timeout: float = 1.0) -> None:
        await deferToThread(self._client.register, modid, cmdid, timeout)

    async def watch(self, seen: list[Route]) -> None:
        """Adds each route of (1, 1), until the client is closed."""

        def follow() -> None:
            for route in self._client.watch(1, 1, 0.1):
                seen.append(route)

        await deferToThread(follow)

    async def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        await deferToThread(self._client.report, host, retcode, cost)

    async def call(self, work: Work, failures: type[Exception] = Exception, key: Key | None = None) -> None:
        def call() -> None:
            with self._client.call(1, 1, failures, key=key) as host:
                work(host)

        await deferToThread(call)

    async def retry(self, work: Work, attempts: int = 3, failures: type[Exception] = Exception) -> None:
        def retry() -> None:
            for attempt in self._client.retrying(1, 1, attempts, failures):
                with attempt as host:
                    work(host)

        await deferToThread(retry)

    async def close(self) -> None:
        self._client.close()

    async def end(self) -> None:
        """There is nothing besides the client."""


class AsyncioDriver:
    """The asyncio client, in a loop that runs in a thread of its own."""

    def __init__(self, **arguments: Any) -> None:
        self._client = AsyncioClient(**arguments)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    async def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return await deferToThread(lambda: asyncio.run_coroutine_threadsafe(work, self._loop).result())

    @property
    def alive(self) -> bool:
        return self._client.agent_alive

    async def get_host(self, modid: int = 1, cmdid: int = 1, key: Key | None = None) -> Host:
        return await self._run(self._client.get_host(modid, cmdid, key=key))

    async def get_route(self, modid: int = 1, cmdid: int = 1) -> list[Host]:
        return await self._run(self._client.get_route(modid, cmdid))

    async def register(self, modid: int = 1, cmdid: int = 1, timeout: float = 1.0) -> None:
        await self._run(self._client.register(modid, cmdid, timeout))

    async def watch(self, seen: list[Route]) -> None:
        async def follow() -> None:
            async for route in self._client.watch(1, 1, 0.1):
                seen.append(route)

        await self._run(follow())

    async def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        async def report() -> None:
            self._client.report(host, retcode, cost)

        await self._run(report())

    async def call(self, work: Work, failures: type[Exception] = Exception, key: Key | None = None) -> None:
        async def call() -> None:
            async with self._client.call(1, 1, failures, key=key) as host:
                work(host)

        await self._run(call())

    async def retry(self, work: Work, attempts: int = 3, failures: type[Exception] = Exception) -> None:
        async def retry() -> None:
            for attempt in self._client.retrying(1, 1, attempts, failures):
                async with attempt as host:
                    work(host)

        await self._run(retry())

    async def close(self) -> None:
        async def close() -> None:
            self._client.close()

        await self._run(close())

    async def end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        await deferToThread(self._thread.join)
        self._loop.close()


class TwistedDriver:
    """The Twisted client, in the reactor of the tests."""

    def __init__(self, **arguments: Any) -> None:
        self._client = TwistedClient(**arguments)

    @property
    def alive(self) -> bool:
        return self._client.agent_alive

    async def get_host(self, modid: int = 1, cmdid: int = 1, key: Key | None = None) -> Host:
        return await self._client.get_host(modid, cmdid, key=key)

    async def get_route(self, modid: int = 1, cmdid: int = 1) -> list[Host]:
        return await self._client.get_route(modid, cmdid)

    async def register(self, modid: int = 1, cmdid: int = 1, timeout: float = 1.0) -> None:
        await self._client.register(modid, cmdid, timeout)

    async def watch(self, seen: list[Route]) -> None:
        async for route in self._client.watch(1, 1, 0.1):
            seen.append(route)

    async def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        self._client.report(host, retcode, cost)

    async def call(self, work: Work, failures: type[Exception] = Exception, key: Key | None = None) -> None:
        async with self._client.call(1, 1, failures, key=key) as host:
            work(host)

    async def retry(self, work: Work, attempts: int = 3, failures: type[Exception] = Exception) -> None:
        for attempt in self._client.retrying(1, 1, attempts, failures):
            async with attempt as host:
                work(host)

    async def close(self) -> None:
        self._client.close()

    async def end(self) -> None:
        """There is nothing besides the client."""


DRIVERS: dict[str, Callable[..., Driver]] = {
    "blocking": BlockingDriver,
    "asyncio": AsyncioDriver,
    "twisted": TwistedDriver,
}
