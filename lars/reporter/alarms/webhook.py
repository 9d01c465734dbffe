"""Posts alarms to webhooks, each address with a queue of its own: one that is dead delays nobody.

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

from lars.db.alarms import GIVEN_UP, TOLD, WAITING, Alarm, AlarmStore
from lars.db.engine import DatabaseError
from lars.errors import LarsError
from lars.reporter.alarms.delivery import Delivery
from lars.reporter.alarms.evaluate import described
from lars.route import format_ip
from lars.runtime.log_limit import LogLimit
from lars.runtime.reactor import IReactor

_log = Logger()

TIMEOUT = 5.0
"""Seconds for a webhook to answer."""

GIVE_UP_AFTER = 3600.0
"""Seconds after which what an alarm has to say is old news."""

MAX_ANSWER = 65_536
"""Bytes of an answer that are read before the connection is cut."""


class NotTaken(LarsError):
    """A webhook did not answer as it should; the text says how."""


def message(alarm: Alarm, cleared: bool) -> dict[str, object]:
    """What is posted: the same for whoever reads it twice, so that `id` and `event` tell repeats."""
    subject = alarm.subject
    told: dict[str, object] = {
        "event": "cleared" if cleared else "raised",
        "id": alarm.id,
        "rule": alarm.rule,
        "what": alarm.what,
        "subject": described(subject),
        "text": alarm.text,
        "raised_at": alarm.raised_at,
    }
    if cleared:
        told["cleared_at"] = alarm.cleared_at
    if subject.modid or subject.cmdid:
        told |= {"modid": subject.modid, "cmdid": subject.cmdid}
    if subject.port:
        told["host"] = f"{format_ip(subject.ip)}:{subject.port}"
    if subject.caller:
        told["caller"] = format_ip(subject.caller)
    return told


class Webhooks:
    """Every webhook that a rule names. `wall_clock` gives Unix seconds."""

    def __init__(self, store: AlarmStore, reactor: IReactor, wall_clock: Callable[[], float]) -> None:
        self._store = store
        self._reactor = reactor
        self._wall_clock = wall_clock
        self._client = HTTPClient(Agent(reactor, connectTimeout=TIMEOUT))
        self._limit = LogLimit(reactor.seconds)
        self._stopping = False
        self._queues: dict[str, Delivery] = {}
        self.outcomes = {"posted": 0, "failed": 0, "given_up": 0}

    def post(self, alarm: Alarm) -> None:
        """Posts what the alarm's webhook has not been told: that it has raised, and if so that it has cleared."""
        if not alarm.webhook:
            return
        queue = self._queues.get(alarm.webhook)
        if queue is None:
            queue = self._queues[alarm.webhook] = Delivery(self._reactor, self._deliver)
        if alarm.raise_told == WAITING and (alarm.id, False) not in queue:
            queue.add(alarm, False)
        if alarm.cleared_at and alarm.clear_told == WAITING and (alarm.id, True) not in queue:
            queue.add(alarm, True)

    async def _deliver(self, alarm: Alarm, cleared: bool) -> bool:
        """One attempt; whether there is no need for another."""
        since = alarm.cleared_at if cleared else alarm.raised_at
        place = urlsplit(alarm.webhook)
        where = f"{place.scheme}://{place.netloc.rpartition('@')[2]}"  # what follows may be secret
        if self._wall_clock() - since > GIVE_UP_AFTER:
            outcome = GIVEN_UP
            self.outcomes["given_up"] += 1
            _log.warn("alarm {id} is not posted to {where}: it is too old by now", id=alarm.id, where=where)
        else:
            try:
                await self._request(alarm.webhook, message(alarm, cleared))
            except NotTaken as error:
                self.outcomes["failed"] += 1
                if times := self._limit.tell((alarm.webhook, str(error))):
                    _log.warn(
                        "alarm {id} is not posted to {where}: {error}; trying again ({times} such since the last line)",
                        id=alarm.id,
                        where=where,
                        error=str(error),
                        times=times,
                    )
                return False
            outcome = TOLD
        try:
            await self._store.told(alarm.id, cleared, outcome)
        except DatabaseError as error:
            _log.info("alarm {id} may be posted again after a restart: {error}", id=alarm.id, error=str(error))
        self.outcomes["posted"] += outcome == TOLD
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
        except Exception as error:  # whatever the network, TLS and a stranger's server can do
            if self._stopping:
                raise CancelledError from None
            if self._reactor.seconds() - began >= TIMEOUT:
                raise NotTaken(f"no answer within {TIMEOUT:g} s") from None
            reason = error.reasons[0].getErrorMessage() if isinstance(error, ResponseFailed) else str(error)
            raise NotTaken(" ".join(reason.split()) or type(error).__name__) from None
        if not 200 <= response.code < 300:
            raise NotTaken(f"it answers with HTTP status {response.code}")

    async def stop(self) -> None:
        """Posts no more; what is not posted is after the next start."""
        self._stopping = True
        for queue in self._queues.values():
            await queue.stop()


def _end_of(response: IResponse) -> "Deferred[None]":
    ended: Deferred[None] = Deferred()
    response.deliverBody(_Thrown(ended))
    return ended


class _Thrown(Protocol):
    """The body of an answer, which says nothing."""

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
