"""The records of a name: from what it stands for and what the agent says to a Reply. Pure (RFC 1035, 2308, 2782)."""

from collections.abc import Iterable, Sequence

from twisted.names import dns

from lars.gateway.dns.codec import BADVERS, Query, Reply
from lars.gateway.dns.zone import Kind, Owner, Zone
from lars.gateway.route import Route, RoutedHost
from lars.route import ModuleId, format_ip

TTL = 0
"""Seconds for which hosts may be kept: the next call may go to another one (RFC 1035, 3.2.1)."""

NEGATIVE_TTL = 1
"""Seconds for which it may be kept that there is nothing of a name (RFC 2308, 5)."""

MAX_SERVERS = 1_000
"""Hosts in an answer to SRV: what a message over TCP has room for."""

MAX_WEIGHT = 65_535

_ANY_TTL = 3_600

REFUSED_TYPES = frozenset({dns.AXFR, dns.IXFR})
"""A zone that is made up as it is asked for cannot be transferred."""

ADDRESS_KINDS = frozenset({Kind.MODULE, Kind.HOST})
SERVER_KINDS = frozenset({Kind.MODULE, Kind.SERVICE})


class Records:
    """What the names of a zone answer."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone

    def without_agent(self, query: Query, owner: Owner) -> Reply | None:
        """The reply to a query that needs no agent; None for others."""
        if query.edns_version:
            return Reply(BADVERS, authoritative=False)
        if query.cls not in (dns.IN, dns.ANY) or query.type in REFUSED_TYPES or owner.kind is Kind.OUTSIDE:
            return Reply(dns.EREFUSED, authoritative=False)
        if owner.kind is Kind.NOTHING:
            return self.no_such_name()
        if owner.kind is Kind.APEX and query.type == dns.SOA:
            return Reply(answers=[self._soa()])
        if owner.module is None:
            return _any(query) if query.type == dns.ALL_RECORDS and owner.kind is Kind.APEX else self._no_data()
        return None

    def of_route(self, query: Query, owner: Owner, route: Route) -> Reply:
        """The reply to a query about a module with a route, but for the A records of the module itself."""
        if not route.hosts or (owner.kind is Kind.HOST and all(host.address.ip != owner.ip for host in route.hosts)):
            return self.no_such_name()
        if query.type == dns.ALL_RECORDS and owner.kind is not Kind.PARENT:
            return _any(query)
        if query.type == dns.A and owner.kind is Kind.HOST:
            return Reply(answers=[_address(query.name, owner.ip)])
        if query.type == dns.SRV and owner.kind in SERVER_KINDS:
            return self._servers(query.name, route.module, route.taking)
        return self._no_data()

    def address(self, query: Query, ip: int) -> Reply:
        """A host that the agent gives, as the A record of its module."""
        return Reply(answers=[_address(query.name, ip)])

    def no_such_name(self) -> Reply:
        """NXDOMAIN."""
        return Reply(dns.ENAME, authority=[self._soa()])

    def failure(self) -> Reply:
        """SERVFAIL: the agent does not answer, or lets no call be made now."""
        return Reply(dns.ESERVER, authoritative=False)

    def _no_data(self) -> Reply:
        return Reply(authority=[self._soa()])

    def _servers(self, name: bytes, module: ModuleId, hosts: Sequence[RoutedHost]) -> Reply:
        shown = hosts[:MAX_SERVERS]
        targets = {host.address.ip: self._zone.host_name(module, host.address.ip) for host in shown}
        addresses = [_address(target, ip) for ip, target in targets.items()]
        return Reply(answers=list(_servers(name, shown, targets)), additional=addresses)

    def _soa(self) -> dns.RRHeader:
        domain = self._zone.domain
        record = dns.Record_SOA(
            mname=domain,
            rname=b"hostmaster." + domain,
            serial=1,
            refresh=NEGATIVE_TTL,
            retry=NEGATIVE_TTL,
            expire=NEGATIVE_TTL,
            minimum=NEGATIVE_TTL,
            ttl=NEGATIVE_TTL,
        )
        return dns.RRHeader(domain, dns.SOA, dns.IN, NEGATIVE_TTL, record, auth=True)


def _servers(name: bytes, hosts: Iterable[RoutedHost], targets: dict[int, bytes]) -> Iterable[dns.RRHeader]:
    for host in hosts:
        record = dns.Record_SRV(0, min(host.weight, MAX_WEIGHT), host.address.port, targets[host.address.ip], TTL)
        yield dns.RRHeader(name, dns.SRV, dns.IN, TTL, record, auth=True)


def _address(name: bytes, ip: int) -> dns.RRHeader:
    return dns.RRHeader(name, dns.A, dns.IN, TTL, dns.Record_A(format_ip(ip), TTL), auth=True)


def _any(query: Query) -> Reply:
    """One small record instead of all (RFC 8482, 4.2)."""
    record = dns.Record_HINFO(b"RFC8482", b"", _ANY_TTL)
    return Reply(answers=[dns.RRHeader(query.name, dns.HINFO, dns.IN, _ANY_TTL, record, auth=True)])
