"""The blocking client: for threads, without a thread of its own, and no call that never ends."""

import time
from collections.abc import Iterator
from time import monotonic
from types import TracebackType
from typing import Self

from lars.client.address import agent_address, state_folder
from lars.client.call import Call, Failures
from lars.client.errors import AgentUnavailable
from lars.client.exchange import CACHE_TTL, DEFAULT_TIMEOUT, Exchange
from lars.client.host import Host
from lars.client.known import GATHERED_MOST, KnownModule
from lars.client.links import AgentLinks, ShardLinks
from lars.client.questions import RouteQuestion, no_such_module
from lars.client.register import REGISTER_TIMEOUT, pauses
from lars.client.retrying import DEFAULT_ATTEMPTS, Attempt, Retrying
from lars.errors import LarsError


class LarsClient:
    """Asks this machine's agent which host to call, and tells it how the call went.

    May be shared by threads and kept across a fork. While no host of a module is overloaded, it chooses by itself for
    `cache_ttl` seconds and gathers successes, so that most calls cost no system call; the agent is told of them when
    that time is over (at the next call), before any failure, on close, before a fork and at exit. While the agent is
    down, hosts come from the routes that it has saved.

    >>> from lars.client import LarsClient
    >>> client = LarsClient()
    >>> with client.call(1, 1) as host:
    ...     answer = f"called {host}"
    >>> client.agent_alive
    True
    >>> client.close()

    Args:
        agent: "IP:BASEPORT" or (ip, base port); without it, the environment's LARS_AGENT, else 127.0.0.1:8888.
        timeout: seconds that one call may take at most; half-way an unanswered question is sent once more.
        cache: False: ask and tell the agent each time.
        cache_ttl: seconds; how old a route may be that hosts are chosen from.
        state_dir: the folder of the agent's saved routes; without it, the environment's LARS_STATE_DIR, else
            /var/lib/lars for an agent on this machine. Empty: none.

    Raises SettingsError if these cannot be used. Every method may raise AgentUnavailable, and InvalidRoute for ids
    that no module can have.
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
        self._links = AgentLinks(self._exchange.shards, timeout / 2)
        self._exchange.begin(self._links)
        self._modules = self._exchange.modules
        self._timeout = timeout

    @property
    def agent_alive(self) -> bool:
        """Whether the agent answered when last asked; True before the first question."""
        return self._exchange.agent_alive

    def get_host(self, modid: int, cmdid: int) -> Host:
        """The host to call now; raises NoSuchModule or Overloaded if there is none.

        >>> host = client.get_host(1, 1)
        >>> print(host)
        127.0.0.1:900...
        """
        known = self._modules.get((modid, cmdid))
        if known is not None and monotonic() < known.until:
            return known.pick()
        return self._ask_host(self._exchange.known(modid, cmdid))

    def report(self, host: Host, retcode: int = 0, cost: float | None = None) -> None:
        """Tells how the call to a host went; sent once, and not acknowledged.

        >>> client.report(client.get_host(1, 1), retcode=1, cost=0.25)

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

    def get_route(self, modid: int, cmdid: int) -> list[Host]:
        """All hosts of the module; none if the agent knows of none, or not yet: see register.

        >>> [str(host) for host in client.get_route(1, 1)]
        ['127.0.0.1:9001', '127.0.0.1:9002']
        """
        known = self._exchange.known(modid, cmdid)
        shard, now = known.shard, monotonic()
        error: OSError | None = None
        route: list[Host] | None = None
        try:
            link = self._links[shard].new()
            try:
                route = link.ask(RouteQuestion(known.module), now + self._timeout)
            finally:
                link.close()
        except OSError as refused:
            error = refused
        if route is not None:
            self._exchange.answered(shard)
            return route
        refusal = self._exchange.unanswered(shard, error, now)
        saved = self._exchange.saved_route(known, now)
        if not saved:
            raise refusal
        return saved

    def register(self, modid: int, cmdid: int, timeout: float = REGISTER_TIMEOUT) -> None:
        """Waits until the agent has the module's hosts, which it pulls when first asked about a module.

        To call once at start, so that the first get_host is not refused. Raises NoSuchModule if the agent still has
        none after `timeout` seconds, AgentUnavailable if it has not answered until then.

        >>> client.register(1, 1)
        """
        known = self._exchange.known(modid, cmdid)
        refusal: LarsError = no_such_module(known.module)
        for pause in pauses(timeout):
            time.sleep(pause)
            try:
                if self.get_route(modid, cmdid):
                    return
                refusal = no_such_module(known.module)
            except AgentUnavailable as error:
                if self._exchange.closed:
                    raise
                refusal = error
        raise refusal

    def call(self, modid: int, cmdid: int, failures: Failures = Exception) -> Call:
        """A host for the time of a with block, reported with the time taken; as failed if an exception ends the block.

        What is none of `failures` says nothing about the host and reports nothing; nor does what is no Exception
        (KeyboardInterrupt, SystemExit).

        >>> with client.call(1, 1, failures=OSError) as host:
        ...     answer = f"called {host}"
        """
        return Call(lambda: self.get_host(modid, cmdid), self.report, failures)

    def retrying(
        self, modid: int, cmdid: int, attempts: int = DEFAULT_ATTEMPTS, failures: Failures = Exception
    ) -> Iterator[Attempt]:
        """Attempts at a call: each with another host while there is one, until one ends without a failure.

        An exception of `failures` is reported, and kept from the caller but for the last attempt's; any other ends it
        all and says nothing about the host.

        >>> for attempt in client.retrying(1, 1, attempts=3, failures=OSError):
        ...     with attempt as host:
        ...         if host.port == 9001:
        ...             raise ConnectionRefusedError
        ...         print(f"called {host}")
        called 127.0.0.1:9002
        """
        retrying = Retrying(self.report, attempts, failures)
        return (
            Attempt(lambda: self.get_host(modid, cmdid), lambda: self.get_route(modid, cmdid), retrying, timed, last)
            for timed, last in retrying.timed()
        )

    def close(self) -> None:
        """Tells the agent what is gathered, and closes the sockets.

        A question that another thread waits for ends first; later calls raise AgentUnavailable.
        """
        self._exchange.close()
        self._links.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _ask_host(self, known: KnownModule) -> Host:
        shard, now = known.shard, monotonic()
        links = self._links[shard]
        if not shard.alive:
            saved = self._exchange.saved_host(known, now)
            if saved is not None and not self._answers_again(known, links, now):
                return saved
        error: OSError | None = None
        deadline = now + self._timeout
        try:
            link = links.take(deadline)
            if link is not None:
                try:
                    host = link.ask(self._exchange.question(known, link.next_seq(), now), deadline)
                finally:
                    links.give_back(link)
                if host is not None:
                    self._exchange.answered(shard)
                    return host
        except OSError as refused:
            error = refused
        except LarsError:
            self._exchange.answered(shard)
            raise
        refusal = self._exchange.unanswered(shard, error, now)
        saved = self._exchange.saved_host(known, now)
        if saved is None:
            raise refusal
        return saved

    def _answers_again(self, known: KnownModule, links: ShardLinks, now: float) -> bool:
        """Whether a shard that was down has answered meanwhile; now and then it is asked, and not waited for."""
        try:
            if links.probed():
                return True
            if known.shard.due(now):
                links.probe(self._exchange.question(known, 0, now))
        except OSError:
            return False
        return False
