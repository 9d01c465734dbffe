"""What the clients of an event loop share: questions in mailboxes, the saved routes, and an agent that comes back."""

from collections.abc import Callable
from time import monotonic
from typing import Any

from lars.client.exchange import Exchange
from lars.client.host import Host
from lars.client.known import KnownModule
from lars.client.mailbox import EventLoop, Mailbox
from lars.client.questions import RouteQuestion
from lars.client.shard import AgentShard
from lars.client.teller import AgentTeller, Closed
from lars.errors import LarsError

Answered = Callable[[Any, Exception | None], None]
"""Is given the answer, or None and the error to raise."""

Forget = Callable[[], None]
"""Ends a question that nobody waits for any more."""


class Asking:
    """Asks for one client, in one event loop at a time."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._teller = AgentTeller(exchange.shards)
        self._loop: EventLoop | None = None
        self._boxes: dict[AgentShard, Mailbox] = {}
        self.tell = self._teller.tell

    def host(self, known: KnownModule, loop: EventLoop, answered: Answered) -> Forget:
        """Asks which host to call."""
        shard, now = known.shard, monotonic()
        try:
            if not shard.alive and (saved := self._exchange.saved_host(known, now)) is not None:
                if shard.due(now):
                    self._probe(known, loop, now)
                answered(saved, None)
                return _nothing
            box = self._box(shard, loop)
            seq = box.next_seq()
            question = self._exchange.question(known, seq, now)
        except OSError as error:
            self._without_answer(known, error, answered)
            return _nothing

        def deliver(host: Host | None, error: Exception | None) -> None:
            if host is not None or isinstance(error, LarsError):
                self._exchange.answered(shard)
                answered(host, error)
            else:
                self._without_answer(known, error, answered)

        box.ask(seq, question, deliver)
        return lambda: box.forget(seq)

    def _probe(self, known: KnownModule, loop: EventLoop, now: float) -> None:
        """Asks a shard that was down; nobody waits for the answer."""
        box = self._box(known.shard, loop)
        seq = box.next_seq()

        def deliver(host: Host | None, error: Exception | None) -> None:
            if host is not None or isinstance(error, LarsError):
                self._exchange.answered(known.shard)

        box.ask(seq, self._exchange.question(known, seq, now), deliver)

    def _without_answer(self, known: KnownModule, error: Exception | None, answered: Answered) -> None:
        now = monotonic()
        refusal = self._exchange.unanswered(known.shard, error if isinstance(error, OSError) else None, now)
        saved = self._exchange.saved_host(known, now)
        answered(saved, refusal if saved is None else None)

    def route(self, known: KnownModule, loop: EventLoop, answered: Answered) -> Forget:
        """Asks for all hosts, on a socket of its own: their answer has no seq."""
        shard = known.shard

        def deliver(route: list[Host] | None, error: Exception | None) -> None:
            box.close()
            if route is not None:
                self._exchange.answered(shard)
                answered(route, None)
                return
            now = monotonic()
            refusal = self._exchange.unanswered(shard, error if isinstance(error, OSError) else None, now)
            saved = self._exchange.saved_route(known, now)
            answered(saved or None, None if saved else refusal)

        try:
            box = self._new_box(shard, loop, lambda _datagram: 0)
        except OSError as error:
            answered(None, self._exchange.unavailable(shard, error))
            return _nothing
        box.ask(0, RouteQuestion(known.module), deliver)

        def forget() -> None:
            box.forget(0)
            box.close()

        return forget

    def _box(self, shard: AgentShard, loop: EventLoop) -> Mailbox:
        if loop is not self._loop:  # the last one has ended, and its sockets with it
            self._close_boxes()
            self._loop = loop
        box = self._boxes.get(shard)
        if box is None:
            box = self._boxes[shard] = self._new_box(shard, loop)
        return box

    def _new_box(self, shard: AgentShard, loop: EventLoop, *key_of: Callable[[bytes], int | None]) -> Mailbox:
        if self._exchange.closed:
            raise Closed
        return Mailbox(shard.peer, self._exchange.timeout / 2, loop, *key_of)

    def forked(self) -> None:
        """In the child of a fork: starts with sockets of its own."""
        for box in self._boxes.values():
            box.drop()
        self._boxes.clear()
        self._loop = None
        self._teller.forked()

    def close(self) -> None:
        """Closes the sockets; questions under way end with AgentUnavailable."""
        self._close_boxes()
        self._teller.close()

    def _close_boxes(self) -> None:
        boxes, self._boxes = self._boxes, {}
        for box in boxes.values():
            box.close()


def _nothing() -> None:
    """Nothing is under way."""
