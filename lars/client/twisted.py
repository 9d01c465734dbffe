"""The Twisted client: the blocking one's calls as Deferreds, any number of them under way at once."""

from collections.abc import Callable, Iterator
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from lars.client.address import agent_address, state_folder
from lars.client.asking import Answered, Asking, Forget
from lars.client.call import AsyncCall, Failures
from lars.client.errors import AgentUnavailable
from lars.client.exchange import CACHE_TTL, DEFAULT_TIMEOUT, Exchange
from lars.client.host import Host
from lars.client.known import GATHERED_MOST
from lars.client.mailbox import Mailbox, Timer
from lars.client.questions import no_such_module
from lars.client.register import REGISTER_TIMEOUT, pauses
from lars.client.retrying import DEFAULT_ATTEMPTS, AsyncAttempt, Retrying
from lars.errors import LarsError

T = TypeVar("T")


class LarsClient:
    """Asks this machine's agent which host to call, and tells it how the call went, without blocking the reactor.

    Takes the arguments of `lars.client.LarsClient` and chooses by itself as that does; `reactor` is the one that it
    runs on, unless given the installed one. A Deferred that is cancelled leaves nothing behind.

    >>> from twisted.internet import task
    >>> from lars.client.twisted import LarsClient
    >>> async def main(reactor):
    ...     async with LarsClient(reactor=reactor) as client:
    ...         async with client.call(1, 1) as host:
    ...             print(f"called {host}")
    >>> run(main)  # task.react(main), in a program
    called 127.0.0.1:900...

    Raises SettingsError if its arguments cannot be used. Every method may raise or fail with AgentUnavailable, and
    InvalidRoute for ids that no module can have.
    """

    def __init__(
        self,
        agent: str | tuple[str, int] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        cache: bool = True,
        cache_ttl: float = CACHE_TTL,
        state_dir: str | None = None,
        reactor: Any = None,
    ) -> None:
        address = agent_address(agent)
        if reactor is None:
            from twisted.internet import reactor
        self._exchange = Exchange(address, timeout, cache_ttl if cache else 0.0, state_folder(state_dir, address))
        self._asking = Asking(self._exchange)
        self._exchange.begin(self._asking)
        self._modules = self._exchange.modules
        self._reactor = reactor
        self._loop = _Loop(reactor)

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered when last asked; True before the first question."""
        return self._exchange.agent_alive

    def get_host(self, modid: int, cmdid: int) -> Deferred[Host]:
        """The host to call now; fails with NoSuchModule or Overloaded if there is none.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         print(await client.get_host(1, 1))
        >>> run(main)
        127.0.0.1:900...
        """
        known = self._modules.get((modid, cmdid))
        if known is not None and monotonic() < known.until:
            return succeed(known.pick())
        known = self._exchange.known(modid, cmdid)
        return self._answer(lambda answered: self._asking.host(known, self._loop, answered))

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Tells how the call to a host went; a plain call, for it waits for nothing.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         client.report(await client.get_host(1, 1), retcode=1, cost=0.25)
        >>> run(main)

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

    def get_route(self, modid: int, cmdid: int) -> Deferred[list[Host]]:
        """All hosts of the module; none if the agent knows of none, or not yet: see register.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         print(*await client.get_route(1, 1))
        >>> run(main)
        127.0.0.1:9001 127.0.0.1:9002
        """
        known = self._exchange.known(modid, cmdid)
        return self._answer(lambda answered: self._asking.route(known, self._loop, answered))

    def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> Deferred[None]:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        To call once at start, so that the first get_host is not refused. Fails with NoSuchModule if the agent still
        has none after `timeout` seconds, AgentUnavailable if it has not answered until then.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         await client.register(1, 1)
        >>> run(main)
        """
        return Deferred.fromCoroutine(self._register(modid, cmdid, timeout))

    async def _register(self, modid: int, cmdid: int, timeout: float) -> None:
        known = self._exchange.known(modid, cmdid)
        refusal: LarsError = no_such_module(known.module)
        for pause in pauses(timeout):
            await deferLater(self._reactor, pause)
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

        What is none of `failures` says nothing about the host and reports nothing.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         async with client.call(1, 1, failures=OSError) as host:
        ...             print(f"called {host}")
        >>> run(main)
        called 127.0.0.1:900...
        """
        return AsyncCall(lambda: self.get_host(modid, cmdid), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[AsyncAttempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and kept from the caller but for the last attempt's; any other ends it
        all and says nothing about the host.

        >>> async def main(reactor):
        ...     async with LarsClient() as client:
        ...         for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...             async with attempt as host:
        ...                 if host.port == 9001:
        ...                     raise ConnectionRefusedError
        ...                 print(f"called {host}")
        >>> run(main)
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

        Calls under way, and later ones, fail with AgentUnavailable.
        """
        self._exchange.close()
        self._asking.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _answer(self, ask: Callable[[Answered], Forget]) -> Deferred[Any]:
        result: Deferred[Any] = Deferred(lambda _cancelled: forget())

        def answered(answer: Any, error: Exception | None) -> None:
            if error is None:
                result.callback(answer)
            else:
                result.errback(error)

        forget = ask(answered)
        return result


class _Loop:
    """A reactor, as mailboxes see it."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._readers: dict[Mailbox, _Reader] = {}

    def call_later(self, seconds: float, function: Callable[[], None]) -> Timer:
        timer: Timer = self._reactor.callLater(seconds, function)
        return timer

    def add_reader(self, mailbox: Mailbox) -> None:
        reader = self._readers[mailbox] = _Reader(mailbox, self._reactor)
        self._reactor.addReader(reader)

    def remove_reader(self, mailbox: Mailbox) -> None:
        self._reactor.removeReader(self._readers.pop(mailbox))


@implementer(IReadDescriptor)
class _Reader:
    """A mailbox, as a reactor sees it: Twisted's own UDP port costs more than the answer does."""

    def __init__(self, mailbox: Mailbox, reactor: Any) -> None:
        self.fileno = mailbox.fileno
        self.doRead = mailbox.read
        self._reactor = reactor

    def logPrefix(self) -> str:
        return "lars client"

    def connectionLost(self, reason: Failure) -> None:
        """Called by the reactor as it ends, and also when a datagram was refused: it takes that for a hang-up."""
        if reason.check(ConnectionDone):
            self._reactor.addReader(self)
            self.doRead()
