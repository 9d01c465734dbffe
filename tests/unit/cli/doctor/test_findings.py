"""What `lars doctor` makes of what it saw."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.doctor.findings import (
    State,
    clock_finding,
    limit_finding,
    link_finding,
    port_finding,
    readiness_finding,
    secret_finding,
    shared_folder_finding,
    version_finding,
)


class FindingTests(SynchronousTestCase):
    def test_service_that_need_not_run_may_be_off_but_must_not_hang(self) -> None:
        refused, silent = "Connection refused", "no answer within 2 s"
        cases = {
            ("", False): State.OK,
            ("", True): State.OK,
            (refused, False): State.OFF,
            (refused, True): State.WRONG,
            (silent, False): State.WRONG,
            (silent, True): State.WRONG,
        }
        for (reason, needed), state in cases.items():
            self.assertEqual(port_finding("lars-dns", "127.0.0.1:7778", reason, needed).state, state, (reason, needed))

    def test_everything_wrong_has_advice_and_everything_right_has_none(self) -> None:
        for good, bad in (
            (readiness_finding("lars-dns", 200, "ready\n"), readiness_finding("lars-dns", 503, "no routes\n")),
            (link_finding("lars-agent", "a:7778", "", "lars-dns"), link_finding("lars-agent", "a:1", "?", "lars-dns")),
            (limit_finding("lars-dns", 20_128, 20_000), limit_finding("lars-dns", 20_127, 20_000)),
            (version_finding("lars-dns", "1.2", "1.2"), version_finding("lars-dns", "1.1", "1.2")),
            (clock_finding("db", -4.9), clock_finding("db", -5.0)),
            (clock_finding("db", 4.9), clock_finding("db", 3600.0)),
            (secret_finding("/etc/lars/token", 0o100640), secret_finding("/etc/lars/token", 0o100644)),
            (shared_folder_finding("/var/lib/lars", 0o40755), shared_folder_finding("/var/lib/lars", 0o40750)),
        ):
            self.assertEqual((good.state, good.advice), (State.OK, ""))
            self.assertEqual((bad.state, bool(bad.advice)), (State.WRONG, True))
            self.assertNotIn("\n", good.what + bad.what + bad.advice)

    def test_advice_can_be_typed(self) -> None:
        self.assertEqual(secret_finding("/etc/lars/token", 0o100644).advice, "chmod o= /etc/lars/token")
        self.assertIn("LimitNOFILE=20128", limit_finding("lars-dns", 1024, 20_000).advice)
