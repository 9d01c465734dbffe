"""Posts alarms to webhooks, each URL with a queue of its own: one that does not answer does not delay the others.

See docs/design/reporter.md, webhooks.
"""

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import Agent, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse

from lars.db.alarms import GIVEN_UP, POSTED, WAITING, Alarm, AlarmStore
from lars.db.engine import DatabaseError
from lars.errors import LarsError
from lars.reporter.alarms.delivery import DeliveryQueue
from lars.reporter.alarms.payload import payload
from lars.reporter.alarms.target import Headers as Fields
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor

_log = Logger()

TIMEOUT = 5.0
"""Seconds within which a webhook must answer."""

GIVE_UP_AFTER = 3600.0
"""Seconds after an alarm is raised or cleared during which its post is tried."""

MAX_ANSWER = 65_536
"""Bytes of a response that are read before the connection is closed."""


MAX_DONE = 10_000
"""Posts that are remembered as done, so that a database that did not store it causes no second one."""


class PostFailed(LarsError):
    """A webhook did not accept a post; the text says why."""


class Webhooks:
    """The webhooks of all rules.

    Args:
        store: where the outcomes of posts are stored.
        reactor: the reactor.
        now: returns Unix seconds by the database's clock.
        console: the URL of lars-web, for links; empty: none.
    """

    def __init__(self, store: AlarmStore, reactor: IReactor, now: Callable[[], float], console: str = "") -> None:
        self._store = store
        self._reactor = reactor
        self._now = now
        self._console = console
        self._client = HTTPClient(Agent(reactor, connectTimeout=TIMEOUT))
        self._limit = LogLimit(reactor.seconds)
        self._stopping = False
        self._queues: dict[tuple[str, Fields], DeliveryQueue] = {}
        self._done: dict[tuple[int, bool], int] = {}
        self.outcomes = {"posted": 0, "failed": 0, "given_up": 0}
        """Posts so far, by outcome."""

    async def post(self, alarm: Alarm, url: str, headers: Fields) -> None:
        """Queues what has not been posted of an alarm yet: that it was raised, and if so that it was cleared.

        What was posted although the database still says that it is due is only marked again.
        """
        due = []
        if alarm.raise_told == WAITING:
            due.append(False)
        if alarm.cleared_at and alarm.clear_told == WAITING:
            due.append(True)
        queue = self._queues.get((url, headers))
        if queue is None:
            queue = self._queues[url, headers] = DeliveryQueue(
                self._reactor, lambda alarm, cleared: self._deliver(alarm, cleared, url, headers)
            )
        for cleared in due:
            post = (alarm.id, cleared)
            if not url:
                await self._mark(post, GIVEN_UP)
            elif post in self._done:
                await self._mark(post, self._done[post])
            elif post not in queue:
                queue.add(alarm, cleared)

    async def _mark(self, post: tuple[int, bool], outcome: int) -> None:
        while len(self._done) >= MAX_DONE:
            del self._done[next(iter(self._done))]
        self._done[post] = outcome
        try:
            await self._store.mark_posted(*post, outcome)
        except DatabaseError as error:
            _log.info("alarm {id} may be posted again after a restart: {error}", id=post[0], error=str(error))

    async def _deliver(self, alarm: Alarm, cleared: bool, url: str, headers: Fields) -> bool:
        """Makes one attempt; returns whether no other is needed."""
        since = alarm.cleared_at if cleared else alarm.raised_at
        place = urlsplit(url)
        where = f"{place.scheme}://{place.netloc.rpartition('@')[2]}"  # user, path and query may hold secrets
        outcome = POSTED
        if self._now() - since > GIVE_UP_AFTER:
            outcome = GIVEN_UP
            self.outcomes["given_up"] += 1
            _log.warn("alarm {id} is too old to be posted to {where}; giving up", id=alarm.id, where=where)
        else:
            try:
                await self._request(url, headers, payload(alarm, cleared, self._console))
            except PostFailed as error:
                self.outcomes["failed"] += 1
                if times := self._limit.admit((url, str(error))):
                    _log.warn(
                        "cannot post alarm {id} to {where}: {error}; trying again ({times} such since the last line)",
                        id=alarm.id,
                        where=where,
                        error=str(error),
                        times=times,
                    )
                return False
            self.outcomes["posted"] += 1
        await self._mark((alarm.id, cleared), outcome)
        return True

    async def _request(self, url: str, headers: Fields, content: dict[str, object]) -> None:
        began = self._reactor.seconds()
        request = self._client.post(
            url,
            data=json.dumps(content).encode(),
            headers=Headers(
                {
                    "User-Agent": ["lars-reporter"],
                    **{name: [value] for name, value in headers},
                    "Content-Type": ["application/json"],
                }
            ),
            allow_redirects=False,
        )
        try:
            response = await request.addTimeout(TIMEOUT, self._reactor)
            await _end_of(response).addTimeout(TIMEOUT, self._reactor)
        except Exception as error:  # the network, TLS or the server failed, in one of many ways
            if self._stopping:
                raise CancelledError from None
            if self._reactor.seconds() - began >= TIMEOUT:
                raise PostFailed(f"no answer within {TIMEOUT:g} s") from None
            reason = error.reasons[0].getErrorMessage() if isinstance(error, ResponseFailed) else str(error)
            raise PostFailed(" ".join(reason.split()) or type(error).__name__) from None
        if not 200 <= response.code < 300:
            raise PostFailed(f"it answered with HTTP status {response.code}")

    async def stop(self) -> None:
        """Stops posting; another reporter or the next start posts what is left."""
        self._stopping = True
        for queue in self._queues.values():
            await queue.stop()


def _end_of(response: IResponse) -> "Deferred[None]":
    ended: Deferred[None] = Deferred()
    response.deliverBody(_DiscardedBody(ended))
    return ended


class _DiscardedBody(Protocol):
    """The body of a response, which has no meaning; `ended` fires at its end."""

    def __init__(self, ended: "Deferred[None]") -> None:
        self._ended = ended
        self._left = MAX_ANSWER

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0 and self.transport is not None:
            self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._ended.called:
            self._ended.callback(None)
