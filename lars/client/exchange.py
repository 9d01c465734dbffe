"""What every client does between a call and its datagrams; sans-I/O (docs/design/client.md, one core).

It keeps what is known of each module, tells results in their order, and falls back on the agent's saved routes while
the agent does not answer. Its owner has the sockets: it sends the datagrams that get no answer as it is told to, asks
the questions, and says how that ended. Many threads may use one Exchange; `now` is in seconds, monotonic.
"""

import atexit
import logging
import os
import weakref
from typing import Protocol

from lars.client.address import SHARDS, AgentAddress
from lars.client.errors import AgentUnavailable
from lars.client.host import Host
from lars.client.known import KnownModule
from lars.client.questions import HostQuestion
from lars.client.saved import SavedFile
from lars.client.shard import AgentShard
from lars.errors import SettingsError
from lars.route import module_id, shard_of

DEFAULT_TIMEOUT = 0.2
"""Seconds that one call may take at most."""

CACHE_TTL = 2.0
"""Seconds for which a client chooses by itself before it asks the agent again, unless told otherwise."""

_log = logging.getLogger("lars.client")

_FALLS_BACK = "; until then hosts are chosen from its saved routes, if they can be read"


class Teller(Protocol):
    """Who has the sockets."""

    def tell(self, shard: AgentShard, datagram: bytes) -> None:
        """Sends a datagram that gets no answer; raises OSError."""

    def forked(self) -> None:
        """Called in the child of a fork: the sockets are the parent's."""


class Exchange:
    """The state that a client shares among all its callers.

    Args:
        agent: where the agent is.
        timeout: seconds that a question may take.
        cache_ttl: seconds; 0: never choose by itself.
        state_dir: the folder of the agent's saved routes; empty: never fall back on them.
    """

    def __init__(self, agent: AgentAddress, timeout: float, cache_ttl: float, state_dir: str) -> None:
        if not 0 < timeout < 86_400:
            raise SettingsError(f"timeout {timeout} cannot be used: give seconds above 0 and below a day")
        if not 0 <= cache_ttl < 86_400:
            raise SettingsError(f"cache_ttl {cache_ttl} cannot be used: give seconds from 0 to below a day")
        self.agent = agent
        self.timeout = timeout
        self.shards = [AgentShard(AgentAddress(agent.ip, agent.port + n), n) for n in range(SHARDS)]
        self.modules: dict[tuple[int, int], KnownModule] = {}
        self.closed = False
        self._cache_ttl = cache_ttl
        self._saved = [SavedFile(state_dir, n) for n in range(SHARDS)] if state_dir else []
        self._look_at = 0.0

    def begin(self, teller: Teller) -> None:
        """Takes the owner of the sockets; from now on successes are also told at exit and before a fork."""
        self._teller = teller
        _exchanges[id(self)] = weakref.ref(self)
        weakref.finalize(self, _exchanges.pop, id(self), None).atexit = False

    @property
    def agent_alive(self) -> bool:
        """Whether every shard has answered the last question it was asked; True before the first."""
        return all(shard.alive for shard in self.shards)

    def known(self, modid: int, cmdid: int) -> KnownModule:
        """What is known of the module; raises InvalidRoute for ids that no module can have."""
        known = self.modules.get((modid, cmdid))
        if known is None:
            module = module_id(modid, cmdid)
            fresh = KnownModule(module, self.shards[shard_of(module, SHARDS)], self._cache_ttl)
            known = self.modules.setdefault(module, fresh)
        return known

    def question(self, known: KnownModule, seq: int, now: float) -> HostQuestion:
        """What to ask for the next host; successes past their time are told before it."""
        if now >= self._look_at:
            self._flush_overdue(now)
        if known.gathered:
            self._flush(known)
        return known.question(seq, now)

    def report(self, host: Host, retcode: int, cost: float | None) -> None:
        """Tells how a call went, after all that was gathered of its module; raises AgentUnavailable."""
        known = self.modules.get(host.module) or self.known(*host.module)
        if self.closed:
            raise self.unavailable(known.shard, None)
        with known.lock:
            for datagram in known.results(host, retcode, cost):
                try:
                    self._teller.tell(known.shard, datagram)
                except OSError as error:
                    if known.shard.alive:
                        raise self.unavailable(known.shard, error) from None

    def flush(self) -> None:
        """Tells all gathered successes now, as far as the agent can be reached."""
        for known in tuple(self.modules.values()):
            self._flush(known)

    def _flush_overdue(self, now: float) -> None:
        """Tells the successes of all modules whose ttl has passed, and when the next of them will."""
        look_at = now + self._cache_ttl
        for known in tuple(self.modules.values()):
            if known.until > now:
                look_at = min(look_at, known.until)
            elif known.gathered:
                self._flush(known)
        self._look_at = look_at

    def _flush(self, known: KnownModule) -> None:
        with known.lock:
            for datagram in known.batches():
                try:
                    self._teller.tell(known.shard, datagram)
                except OSError:
                    continue  # nobody is there to be told; whoever asks next will notice

    def answered(self, shard: AgentShard) -> None:
        """A question to the shard was answered."""
        if not shard.alive:
            shard.alive = True
            _log.info("the agent at %s answers again", shard.peer)

    def unanswered(self, shard: AgentShard, error: OSError | None, now: float) -> AgentUnavailable:
        """A question to the shard was not answered in time, or could not be asked; the error to raise.

        It is logged once, until an answer comes again.
        """
        refusal = self.unavailable(shard, error)
        if shard.alive and not self.closed:
            shard.alive = False
            shard.due(now)
            _log.warning("%s%s", refusal, _FALLS_BACK if self._saved else "")
        return refusal

    def saved_host(self, known: KnownModule, now: float) -> Host | None:
        """The next host from the saved routes, if the shard is down and they name the module."""
        return self._saved[known.shard.number].pick(known.module, now) if self._falls_back(known.shard) else None

    def saved_route(self, known: KnownModule, now: float) -> list[Host]:
        """All hosts from the saved routes, if the shard is down and they name the module."""
        return self._saved[known.shard.number].route(known.module, now) if self._falls_back(known.shard) else []

    def _falls_back(self, shard: AgentShard) -> bool:
        return not shard.alive and bool(self._saved) and not self.closed

    def unavailable(self, shard: AgentShard, error: OSError | None) -> AgentUnavailable:
        """The error of a call that got no answer, or, with an error of the system, could not even ask."""
        if self.closed:
            return AgentUnavailable("this LarsClient is closed: make a new one")
        advice = "start lars-agent there, or say where it is (LARS_AGENT, --agent or LarsClient(agent=...))"
        if error is None:
            return AgentUnavailable(f"no answer from the agent at {shard.peer} within {self.timeout:g} s: {advice}")
        return AgentUnavailable(f"the agent at {shard.peer} cannot be reached ({error.strerror or error}): {advice}")

    def close(self) -> None:
        """Tells what is gathered; from now on nothing is chosen or gathered any more."""
        for known in tuple(self.modules.values()):
            known.end()
            self._flush(known)
        self.closed = True

    def forked(self) -> None:
        """Forgets, in the child of a fork, what is the parent's: gathered successes, locks, and whose turn it is."""
        self.modules.clear()
        self._look_at = 0.0
        for shard in self.shards:
            shard.retry_at = 0.0
        for saved in self._saved:
            saved.forked()
        self._teller.forked()


_exchanges: dict[int, "weakref.ref[Exchange]"] = {}
"""Those that there are: a dictionary, because its values can be listed while other threads make clients."""


def _all() -> list[Exchange]:
    return [exchange for reference in list(_exchanges.values()) if (exchange := reference()) is not None]


def _flush_all() -> None:
    for exchange in _all():
        exchange.flush()


def _forked() -> None:
    for exchange in _all():
        exchange.forked()


atexit.register(_flush_all)
os.register_at_fork(before=_flush_all, after_in_child=_forked)
