"""Answers DNS messages with what the agent says (docs/design/gateway.md, DNS)."""

from collections import Counter
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.names import dns
from twisted.python.failure import Failure

from lars.client.errors import NoSuchModule
from lars.client.host import Host
from lars.errors import LarsError
from lars.gateway.agent import Agent
from lars.gateway.dns.codec import Malformed, Query, Reply, encode_reply, read_query
from lars.gateway.dns.records import Records
from lars.gateway.dns.zone import Kind, Owner, Zone
from lars.gateway.route import Route

_log = Logger()

MAX_PENDING = 1_000
"""Queries that wait for the agent at once; more get SERVFAIL at once."""

RCODES = {
    dns.OK: "noerror",
    dns.EFORMAT: "formerr",
    dns.ESERVER: "servfail",
    dns.ENAME: "nxdomain",
    dns.ENOTIMP: "notimp",
    dns.EREFUSED: "refused",
}
"""Names of the response codes; others count as badvers."""

Send = Callable[[bytes], None]


class Resolver:
    """Answers messages, whatever they came by.

    Attributes:
        answered: replies by the name of their response code.
        malformed: messages that are no query; some of them are answered, which `answered` does not count.
        truncated: answers that did not fit a datagram.
    """

    def __init__(self, agent: Agent, zone: Zone) -> None:
        self._agent = agent
        self._zone = zone
        self._records = Records(zone)
        self._pending: set[Deferred[None]] = set()
        self.answered: Counter[str] = Counter()
        self.malformed = 0
        self.truncated = 0

    def handle(self, data: bytes, over_tcp: bool, send: Send) -> None:
        """Answers a message with `send`, now or later; messages that may not be answered are dropped."""
        try:
            query = read_query(data)
        except Malformed as malformed:
            self.malformed += 1
            if malformed.answer is not None:
                send(malformed.answer)
            return
        try:
            reply = self._reply(query)
        except Exception:
            self._bug(Failure())
            reply = self._records.failure()
        if isinstance(reply, Reply):
            self._send(query, reply, over_tcp, send)
        else:
            self._wait(reply, query, over_tcp, send)

    def _reply(self, query: Query) -> Reply | Deferred[Reply]:
        owner = self._zone.owner(query.name)
        reply = self._records.without_agent(query, owner)
        if reply is not None or owner.module is None:
            return reply or self._records.failure()
        try:
            if query.type == dns.A and owner.kind is Kind.MODULE:
                picked = self._agent.pick(owner.module)
                if isinstance(picked, Host):
                    return self._records.address(query, picked.address.ip)
                return self._or_failure(picked.addCallback(lambda host: self._records.address(query, host.address.ip)))
            route = self._agent.route(owner.module)
            if isinstance(route, Route):
                return self._records.of_route(query, owner, route)
            return self._or_failure(route.addCallback(self._of_route, query, owner))
        except LarsError:
            return self._refusal(Failure())

    def _of_route(self, route: Route, query: Query, owner: Owner) -> Reply:
        return self._records.of_route(query, owner, route)

    def _or_failure(self, waiting: Deferred[Reply]) -> Deferred[Reply]:
        return waiting.addErrback(self._refusal)

    def _refusal(self, failure: Failure) -> Reply:
        if failure.check(NoSuchModule):
            return self._records.no_such_name()
        if not failure.check(LarsError, CancelledError):
            self._bug(failure)
        return self._records.failure()

    def _bug(self, failure: Failure) -> None:
        _log.failure("a DNS query cannot be answered", failure)

    def _wait(self, reply: Deferred[Reply], query: Query, over_tcp: bool, send: Send) -> None:
        if len(self._pending) >= MAX_PENDING:
            reply.cancel()
        waiting = reply.addCallback(lambda found: self._send(query, found, over_tcp, send))
        if not waiting.called:
            self._pending.add(waiting)
            waiting.addBoth(lambda result: self._pending.discard(waiting))

    def _send(self, query: Query, reply: Reply, over_tcp: bool, send: Send) -> None:
        data = encode_reply(query, reply, query.limit(over_tcp))
        self.truncated += data[2] >> 1 & 1
        self.answered[RCODES.get(reply.rcode, "badvers")] += 1
        send(data)

    @property
    def pending(self) -> int:
        """Queries that wait for the agent."""
        return len(self._pending)

    def close(self) -> None:
        """Answers what is pending with SERVFAIL."""
        for waiting in tuple(self._pending):
            waiting.cancel()
