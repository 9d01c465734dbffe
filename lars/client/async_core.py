"""What the clients of an event loop share: queries through a UdpMux, the saved routes, and the probes of a shard."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from lars.client import process
from lars.client.core import Core
from lars.client.host import Host
from lars.client.module_cache import ModuleCache
from lars.client.queries import RouteQuery
from lars.client.sender import Sender
from lars.client.shard_state import ShardState
from lars.client.udp_mux import EventLoop, UdpMux
from lars.client.udp_socket import Closed
from lars.client.watched_route import StateQuery
from lars.errors import LarsError

OnAnswer = Callable[[Any, Exception | None], None]
"""Called once, with the answer, or with None and the error to raise."""

Cancel = Callable[[], None]
"""Cancels a query: its OnAnswer is not called."""


class AsyncCore:
    """The queries and sockets of one client, in one event loop at a time; a Transport of its Core."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sender = Sender(core.shards, process.look)
        self._loop: EventLoop | None = None
        self._muxes: dict[ShardState, UdpMux] = {}
        self.send, self.filenos, self.notices = self._sender.send, self._sender.filenos, self._sender.notices

    def host(self, cached: ModuleCache, key: int, loop: EventLoop, on_answer: OnAnswer) -> Cancel:
        """Asks for the host to call, for a call about `key`, 0 for none."""
        shard, now = cached.shard, monotonic()
        try:
            if not shard.alive and (saved := self._core.saved_host(cached, now)) is not None:
                if shard.due(now):
                    self._probe(cached, loop, now)
                on_answer(saved, None)
                return _nothing
            mux = self._mux(shard, loop)
            seq = mux.next_seq()
            query = self._core.query(cached, seq, key, now)
        except OSError as error:
            self._unanswered(cached, error, on_answer)
            return _nothing

        def deliver(host: Host | None, error: Exception | None) -> None:
            if host is not None or isinstance(error, LarsError):
                self._core.answered(shard)
                if host is not None:
                    self._core.has_hosts(cached)
                on_answer(host, error)
            else:
                self._unanswered(cached, error, on_answer)

        mux.ask(seq, query, deliver)
        return lambda: mux.cancel(seq)

    def _probe(self, cached: ModuleCache, loop: EventLoop, now: float) -> None:
        """Asks a shard that was down, only to see whether it answers."""
        mux = self._mux(cached.shard, loop)
        seq = mux.next_seq()

        def deliver(host: Host | None, error: Exception | None) -> None:
            if host is not None or isinstance(error, LarsError):
                self._core.answered(cached.shard)

        mux.ask(seq, self._core.query(cached, seq, 0, now), deliver)

    def _unanswered(self, cached: ModuleCache, error: Exception | None, on_answer: OnAnswer) -> None:
        now = monotonic()
        refusal = self._core.unanswered(cached.shard, error if isinstance(error, OSError) else None, now)
        saved = self._core.saved_host(cached, now)
        on_answer(saved, refusal if saved is None else None)

    def route(self, cached: ModuleCache, loop: EventLoop, on_answer: OnAnswer) -> Cancel:
        """Asks for all hosts, on a socket of its own: this answer has no seq."""
        shard = cached.shard

        def deliver(route: list[Host] | None, error: Exception | None) -> None:
            mux.close()
            if route is not None:
                self._core.answered(shard)
                if route:
                    self._core.has_hosts(cached)
                on_answer(route, None)
                return
            now = monotonic()
            refusal = self._core.unanswered(shard, error if isinstance(error, OSError) else None, now)
            saved = self._core.saved_route(cached, now)
            on_answer(saved or None, None if saved else refusal)

        try:
            mux = self._new_mux(shard, loop, lambda _datagram: 0)
        except OSError as error:
            on_answer(None, self._core.unavailable(shard, error))
            return _nothing
        mux.ask(0, RouteQuery(cached.module), deliver)

        def cancel() -> None:
            mux.cancel(0)
            mux.close()

        return cancel

    def state(self, cached: ModuleCache, version: int, loop: EventLoop, on_answer: OnAnswer) -> Cancel:
        """Asks for the module's route state, with the version of the one before; None if no answer comes."""
        try:
            mux = self._mux(cached.shard, loop)
        except OSError:
            on_answer(None, None)
            return _nothing
        seq = mux.next_seq()
        mux.ask(seq, StateQuery(cached.module, seq, version), lambda state, _error: on_answer(state, None))
        return lambda: mux.cancel(seq)

    def _mux(self, shard: ShardState, loop: EventLoop) -> UdpMux:
        if loop is not self._loop:  # the previous loop has ended, and its sockets with it
            self._close_muxes()
            self._loop = loop
        mux = self._muxes.get(shard)
        if mux is None:
            mux = self._muxes[shard] = self._new_mux(shard, loop)
        return mux

    def _new_mux(self, shard: ShardState, loop: EventLoop, *key_of: Callable[[bytes], int | None]) -> UdpMux:
        if self._core.closed:
            raise Closed
        return UdpMux(shard.peer, self._core.timeout / 2, loop, *key_of)

    def forked(self) -> None:
        """In the child of a fork: starts with sockets of its own."""
        for mux in self._muxes.values():
            mux.drop()
        self._muxes.clear()
        self._loop = None
        self._sender.forked()

    def close(self) -> None:
        """Closes the sockets; pending queries end with AgentUnavailable."""
        self._close_muxes()
        self._sender.close()

    def _close_muxes(self) -> None:
        muxes, self._muxes = self._muxes, {}
        for mux in muxes.values():
            mux.close()


def _nothing() -> None:
    """Cancels nothing: the query has ended."""
