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
from lars.reporter.alarms.evaluate import describe
from lars.route import format_ip
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor

_log = Logger()

TIMEOUT = 5.0
"""Seconds within which a webhook must answer."""

GIVE_UP_AFTER = 3600.0
"""Seconds after an alarm is raised or cleared during which its post is tried."""

MAX_ANSWER = 65_536
"""Bytes of a response that are read before the connection is closed."""


class PostFailed(LarsError):
    """A webhook did not accept a post; the text says why."""


def payload(alarm: Alarm, cleared: bool) -> dict[str, object]:
    """The JSON object that is posted; a repeated post has the same `id` and `event`."""
    subject = alarm.subject
    content: dict[str, object] = {
        "event": "cleared" if cleared else "raised",
        "id": alarm.id,
        "rule": alarm.rule,
        "what": alarm.what,
        "subject": describe(subject),
        "text": alarm.text,
        "raised_at": alarm.raised_at,
    }
    if cleared:
        content["cleared_at"] = alarm.cleared_at
    if subject.modid or subject.cmdid:
        content |= {"modid": subject.modid, "cmdid": subject.cmdid}
    if subject.port:
        content["host"] = f"{format_ip(subject.ip)}:{subject.port}"
    if subject.caller:
        content["caller"] = format_ip(subject.caller)
    return content


class Webhooks:
    """The webhooks of all rules. `wall_clock` returns Unix seconds."""

    def __init__(self, store: AlarmStore, reactor: IReactor, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._client = HTTPClient(Agent(reactor, connectTimeout=TIMEOUT))
        self._limit = LogLimit(reactor.seconds)
        self._stopping = False
        self._queues: dict[str, DeliveryQueue] = {}
        self.outcomes = {"posted": 0, "failed": 0, "given_up": 0}
        """Posts so far, by outcome."""

    def post(self, alarm: Alarm) -> None:
        """Queues what has not been posted of an alarm yet: that it was raised, and if so that it was cleared."""
        if not alarm.webhook:
            return
        queue = self._queues.get(alarm.webhook)
        if queue is None:
            queue = self._queues[alarm.webhook] = DeliveryQueue(self._reactor, self._deliver)
        if alarm.raise_told == WAITING and (alarm.id, False) not in queue:
            queue.add(alarm, False)
        if alarm.cleared_at and alarm.clear_told == WAITING and (alarm.id, True) not in queue:
            queue.add(alarm, True)

    async def _deliver(self, alarm: Alarm, cleared: bool) -> bool:
        """Makes one attempt; returns whether no other is needed."""
        since = alarm.cleared_at if cleared else alarm.raised_at
        place = urlsplit(alarm.webhook)
        where = f"{place.scheme}://{place.netloc.rpartition('@')[2]}"  # user, path and query may hold secrets
        if self._wall_clock() - since > GIVE_UP_AFTER:
            outcome = GIVEN_UP
            self.outcomes["given_up"] += 1
            _log.warn("alarm {id} is too old to be posted to {where}; giving up", id=alarm.id, where=where)
        else:
            try:
                await self._request(alarm.webhook, payload(alarm, cleared))
            except PostFailed as error:
                self.outcomes["failed"] += 1
                if times := self._limit.admit((alarm.webhook, str(error))):
                    _log.warn(
                        "cannot post alarm {id} to {where}: {error}; trying again ({times} such since the last line)",
                        id=alarm.id,
                        where=where,
                        error=str(error),
                        times=times,
                    )
                return False
            outcome = POSTED
        try:
            await self._store.mark_posted(alarm.id, cleared, outcome)
        except DatabaseError as error:
            _log.info("alarm {id} may be posted again after a restart: {error}", id=alarm.id, error=str(error))
        self.outcomes["posted"] += outcome == POSTED
        return True

    async def _request(self, url: str, content: dict[str, object]) -> None:
        began = self._reactor.seconds()
        request = self._client.post(
            url,
            data=json.dumps(content).encode(),
            headers=Headers({"Content-Type": ["application/json"], "User-Agent": ["lars-reporter"]}),
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
        """Stops posting; the next start posts what is left."""
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
