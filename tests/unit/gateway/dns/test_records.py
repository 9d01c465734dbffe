"""The records of each kind of name."""

from typing import Any

from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase

from lars.gateway.dns.codec import BADVERS, Reply, encode_reply, read_query
from lars.gateway.dns.labels import Labels
from lars.gateway.dns.records import MAX_SERVERS, Records
from lars.gateway.dns.zone import Zone
from lars.gateway.route import Route
from tests.unit.gateway.dns.queries import asked
from tests.unit.gateway.routes import host, route

A, B, C = host("10.0.0.1:80", 50), host("10.0.0.1:81"), host("10.0.0.2:80", ejected=True)


def payload(record: dns.RRHeader) -> Any:
    return record.payload


class RecordsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.zone = Zone("lars.", Labels())
        self.records = Records(self.zone)

    def reply(self, name: str, kind: int, known: Route | None = None, cls: int = dns.IN, version: int = 0) -> Reply:
        query = read_query(asked(name, kind, cls, edns=1232, version=version))
        owner = self.zone.owner(query.name)
        reply = self.records.without_agent(query, owner)
        if reply is not None:
            self.assertIsNone(known, "the agent need not be asked")
            return reply
        assert known is not None, "the agent must be asked"
        return self.records.of_route(query, owner, known)

    def assert_nothing(self, reply: Reply, rcode: int) -> None:
        self.assertEqual((reply.rcode, reply.answers, reply.authoritative), (rcode, (), True))
        [soa] = reply.authority
        self.assertEqual((soa.type, soa.name.name, soa.ttl, payload(soa).minimum), (dns.SOA, b"lars", 1, 1))

    def test_names_outside_other_classes_and_transfers_are_refused(self) -> None:
        for name, kind, cls in (
            ("example.org", dns.A, dns.IN),
            ("1.1.lars", dns.A, dns.CH),
            ("lars", dns.AXFR, dns.IN),
            ("1.1.lars", dns.IXFR, dns.IN),
        ):
            reply = self.reply(name, kind, cls=cls)
            self.assertEqual((reply.rcode, reply.authority, reply.authoritative), (dns.EREFUSED, (), False))

    def test_wrong_names_do_not_exist(self) -> None:
        self.assert_nothing(self.reply("x.lars", dns.A), dns.ENAME)
        self.assert_nothing(self.reply("1.1.lars", dns.SRV, route()), dns.ENAME)
        self.assert_nothing(self.reply("10-0-0-9.1.1.lars", dns.A, route(A)), dns.ENAME)

    def test_parents_exist_without_records(self) -> None:
        self.assert_nothing(self.reply("1.lars", dns.A), dns.OK)
        self.assert_nothing(self.reply("_tcp.1.1.lars", dns.SRV, route(A)), dns.OK)
        self.assert_nothing(self.reply("lars", dns.A), dns.OK)

    def test_there_is_no_ipv6(self) -> None:
        for name in ("1.1.lars", "10-0-0-1.1.1.lars"):
            self.assert_nothing(self.reply(name, dns.AAAA, route(A)), dns.OK)

    def test_srv_has_ports_and_weights_and_not_the_ejected(self) -> None:
        for name in ("1.1.lars", "_lars._tcp.1.1.lars"):
            reply = self.reply(name, dns.SRV, route(A, B, C))
            found = [(p.weight, p.port, p.target.name, p.ttl) for p in map(payload, reply.answers)]
            self.assertEqual(found, [(50, 80, b"10-0-0-1.1.1.lars", 0), (100, 81, b"10-0-0-1.1.1.lars", 0)])
            [address] = reply.additional
            self.assertEqual((address.name.name, payload(address).dottedQuad()), (b"10-0-0-1.1.1.lars", "10.0.0.1"))

    def test_the_name_of_an_ejected_host_has_its_address(self) -> None:
        [address] = self.reply("10-0-0-2.1.1.lars", dns.A, route(A, C)).answers
        self.assertEqual(payload(address).dottedQuad(), "10.0.0.2")

    def test_any_gets_one_small_record(self) -> None:
        [record] = self.reply("1.1.lars", dns.ALL_RECORDS, route(A, B)).answers
        self.assertEqual((record.type, payload(record).cpu), (dns.HINFO, b"RFC8482"))
        self.assert_nothing(self.reply("1.1.lars", dns.ALL_RECORDS, route()), dns.ENAME)

    def test_the_domain_has_an_soa(self) -> None:
        [soa] = self.reply("lars", dns.SOA).answers
        self.assertEqual(soa.type, dns.SOA)

    def test_another_version_of_edns_is_refused(self) -> None:
        self.assertEqual(self.reply("1.1.lars", dns.A, version=1).rcode, BADVERS)

    def test_as_many_servers_as_a_message_over_tcp_holds(self) -> None:
        hosts = [host(f"10.{n >> 8}.{n & 255}.255:{10_000 + n}") for n in range(4000)]
        reply = self.reply("_lars._tcp.1.1.lars", dns.SRV, route(*hosts))
        self.assertEqual(len(reply.answers), MAX_SERVERS)
        query = read_query(asked("_lars._tcp.1.1.lars", dns.SRV, edns=1232))
        data = encode_reply(query, reply, 65_535)
        self.assertEqual(data[2] & 2, 0, "not truncated")
