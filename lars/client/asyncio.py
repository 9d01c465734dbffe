"""The asyncio client: the blocking one's calls as coroutines, any number of them under way at once."""

import asyncio
from collections.abc import Callable, Iterator
from time import monotonic
from types import TracebackType
from typing import Any, Self

from lars.client.address import agent_address, state_folder
from lars.client.asking import Answered, Asking, Forget
from lars.client.call import AsyncCall, Failures
from lars.client.errors import AgentUnavailable
from lars.client.exchange import CACHE_TTL, DEFAULT_TIMEOUT, Exchange
from lars.client.host import Host
from lars.client.known import GATHERED_MOST
from lars.client.mailbox import Mailbox
from lars.client.questions import no_such_module
from lars.client.register import REGISTER_TIMEOUT, pauses
from lars.client.retrying import DEFAULT_ATTEMPTS, AsyncAttempt, Retrying
from lars.errors import LarsError


class LarsClient:
    """Asks this machine's agent which host to call, and tells it how the call went, without blocking the event loop.

    Takes the arguments of `lars.client.LarsClient` and chooses by itself as that does. May be made before the loop
    runs; used by one thread. A call that is cancelled leaves nothing behind, and says nothing about its host.

    >>> import asyncio
    >>> from lars.client.asyncio import LarsClient
    >>> async def main():
    ...     async with LarsClient() as client:
    ...         async with client.call(1, 1) as host:
    ...             print(f"called {host}")
    >>> asyncio.run(main())
    called 127.0.0.1:900...

    Raises SettingsError if its arguments cannot be used. Every method may raise AgentUnavailable, and InvalidRoute for
    ids that no module can have.
    """

    def __init__(
        self,
        agent: str | tuple[str, int] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        cache: bool = True,
        cache_ttl: float = CACHE_TTL,
        state_dir: str | None = None,
    ) -> None:
        address = agent_address(agent)
        self._exchange = Exchange(address, timeout, cache_ttl if cache else 0.0, state_folder(state_dir, address))
        self._asking = Asking(self._exchange)
        self._exchange.begin(self._asking)
        self._modules = self._exchange.modules
        self._loop: _Loop | None = None

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered when last asked; True before the first question."""
        return self._exchange.agent_alive

    async def get_host(self, modid: int, cmdid: int) -> Host:
        """The host to call now; raises NoSuchModule or Overloaded if there is none.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         print(await client.get_host(1, 1))
        >>> asyncio.run(main())
        127.0.0.1:900...
        """
        known = self._modules.get((modid, cmdid))
        if known is not None and monotonic() < known.until:
            return known.pick()
        known = self._exchange.known(modid, cmdid)
        host: Host = await self._answer(lambda loop, answered: self._asking.host(known, loop, answered))
        return host

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Tells how the call to a host went; a plain call, for it waits for nothing.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         client.report(await client.get_host(1, 1), retcode=1, cost=0.25)
        >>> asyncio.run(main())

        Args:
            host: as get_host gave it.
            retcode: 0 for success; any other number is a failure.
            cost: seconds that the call took, so that a host that times out is set aside sooner.
        """
        if not retcode:
            known = self._modules.get(host.module)
            if known is not None and monotonic() < known.until and len(known.gathered) < GATHERED_MOST:
                known.gather(host.address)
                return
        self._exchange.report(host, retcode, cost)

    async def get_route(self, modid: int, cmdid: int) -> list[Host]:
        """All hosts of the module; none if the agent knows of none, or not yet: see register.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         print(*await client.get_route(1, 1))
        >>> asyncio.run(main())
        127.0.0.1:9001 127.0.0.1:9002
        """
        known = self._exchange.known(modid, cmdid)
        route: list[Host] = await self._answer(lambda loop, answered: self._asking.route(known, loop, answered))
        return route

    async def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        To call once at start, so that the first get_host is not refused. Raises NoSuchModule if the agent still has
        none after `timeout` seconds, AgentUnavailable if it has not answered until then.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         await client.register(1, 1)
        >>> asyncio.run(main())
        """
        known = self._exchange.known(modid, cmdid)
        refusal: LarsError = no_such_module(known.module)
        for pause in pauses(timeout):
            await asyncio.sleep(pause)
            try:
                if await self.get_route(modid, cmdid):
                    return
                refusal = no_such_module(known.module)
            except AgentUnavailable as error:
                if self._exchange.closed:
                    raise
                refusal = error
        raise refusal

    def call(self, modid: int, cmdid: int, failures: Failures = Exception) -> AsyncCall:
        """A host for the time of an async with block, reported with the time taken; as failed if an exception ends it.

        What is none of `failures` says nothing about the host and reports nothing; nor does what is no Exception, such
        as CancelledError: put a timeout of the call inside the block.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         async with client.call(1, 1, failures=OSError) as host, asyncio.timeout(2):
        ...             print(f"called {host}")
        >>> asyncio.run(main())
        called 127.0.0.1:900...
        """
        return AsyncCall(lambda: self.get_host(modid, cmdid), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[AsyncAttempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and kept from the caller but for the last attempt's; any other ends it
        all and says nothing about the host.

        >>> async def main():
        ...     async with LarsClient() as client:
        ...         for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...             async with attempt as host:
        ...                 if host.port == 9001:
        ...                     raise ConnectionRefusedError
        ...                 print(f"called {host}")
        >>> asyncio.run(main())
        called 127.0.0.1:9002
        """
        retrying = Retrying(self.report, attempts, failures)
        return (
            AsyncAttempt(
                lambda: self.get_host(modid, cmdid), lambda: self.get_route(modid, cmdid), retrying, timed, last
            )
            for timed, last in retrying.timed()
        )

    def close(self) -> None:
        """Tells the agent what is gathered, and closes the sockets; a plain call, for it waits for nothing.

        Calls under way, and later ones, raise AgentUnavailable.
        """
        self._exchange.close()
        self._asking.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _answer(self, ask: Callable[["_Loop", Answered], Forget]) -> Any:
        running = asyncio.get_running_loop()
        if self._loop is None or self._loop.running is not running:
            self._loop = _Loop(running)
        future: asyncio.Future[Any] = running.create_future()

        def answered(answer: Any, error: Exception | None) -> None:
            if future.done():  # cancelled in this turn of the loop
                return
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)

        forget = ask(self._loop, answered)
        try:
            return await future
        finally:
            if future.cancelled():
                forget()


class _Loop:
    """An event loop of asyncio, as mailboxes see it."""

    def __init__(self, running: asyncio.AbstractEventLoop) -> None:
        self.running = running
        self.call_later = running.call_later

    def add_reader(self, mailbox: Mailbox) -> None:
        self.running.add_reader(mailbox.fileno(), mailbox.read)

    def remove_reader(self, mailbox: Mailbox) -> None:
        if not self.running.is_closed():
            self.running.remove_reader(mailbox.fileno())
