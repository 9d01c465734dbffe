"""For whom a peer may report."""

from twisted.trial.unittest import SynchronousTestCase

from lars.networks import ANY, Networks, networks
from lars.reporter.caller_rule import CallerRule, Claim
from lars.route import parse_ip

LOCAL = "10.0.0.7"


class CallerRuleTests(SynchronousTestCase):
    def claim(self, host: str, caller: str, may_report: Networks) -> Claim:
        return CallerRule(may_report, lambda ip: ip == LOCAL).claim(host, parse_ip(caller))

    def test_each_peer_may_report_for_its_own_address(self) -> None:
        for may_report in (ANY, networks(""), networks("10.0.0.0/8")):
            self.assertIs(self.claim("10.0.0.9", "10.0.0.9", may_report), Claim.OWN)
            self.assertIs(self.claim("::ffff:10.0.0.9", "10.0.0.9", may_report), Claim.OWN)

    def test_over_loopback_a_peer_may_report_for_this_machine(self) -> None:
        for host in ("127.0.0.1", "::1", ""):
            self.assertIs(self.claim(host, LOCAL, networks("")), Claim.OWN)
            self.assertIs(self.claim(host, "10.0.0.8", networks("")), Claim.REFUSED)
        self.assertIs(self.claim("10.0.0.9", LOCAL, networks("")), Claim.REFUSED)

    def test_for_others_only_the_networks_that_are_named_may(self) -> None:
        nat = networks("192.0.2.1, fd00::/8")
        for host, claim in (
            ("192.0.2.1", Claim.ALLOWED),
            ("fd00::9", Claim.ALLOWED),
            ("192.0.2.2", Claim.REFUSED),
            ("2001:db8::1", Claim.REFUSED),
        ):
            self.assertIs(self.claim(host, "10.1.1.1", nat), claim, host)

    def test_where_any_may_it_is_known_that_nothing_is_proven(self) -> None:
        self.assertIs(self.claim("192.0.2.2", "10.1.1.1", ANY), Claim.UNPROVEN)
