"""A CA and its certificates."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.certificates import CA_DAYS, DAYS, new_ca, new_certificate, read_key_pair

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class CertificateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.ca = new_ca(NOW)
        self.server = new_certificate(self.ca, "dns1", ["dns1.example", "10.0.0.7", "::1"], NOW)
        self.agent = new_certificate(self.ca, "agent", (), NOW)

    def test_certificates_are_signed_by_the_ca(self) -> None:
        for pair in (self.server, self.agent):
            pair.certificate.verify_directly_issued_by(self.ca.certificate)

    def test_server_is_named_by_its_hosts_and_an_agent_cannot_pose_as_one(self) -> None:
        names = self.server.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        self.assertEqual(names.get_values_for_type(x509.DNSName), ["dns1.example"])
        self.assertEqual([str(ip) for ip in names.get_values_for_type(x509.IPAddress)], ["10.0.0.7", "::1"])
        for pair, purpose in (
            (self.server, ExtendedKeyUsageOID.SERVER_AUTH),
            (self.agent, ExtendedKeyUsageOID.CLIENT_AUTH),
        ):
            usage = pair.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            self.assertEqual(list(usage), [purpose])

    def test_none_of_them_may_sign_but_the_ca(self) -> None:
        for pair, is_ca in ((self.ca, True), (self.server, False), (self.agent, False)):
            basic = pair.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
            self.assertEqual(basic.ca, is_ca)

    def test_they_are_valid_at_once_and_for_so_long(self) -> None:
        for pair, days in ((self.ca, CA_DAYS), (self.server, DAYS)):
            self.assertLess(pair.certificate.not_valid_before_utc, NOW)
            self.assertEqual(pair.certificate.not_valid_after_utc, NOW + timedelta(days=days))

    def test_what_was_written_is_read_again(self) -> None:
        again = read_key_pair(self.ca.certificate_pem, self.ca.key_pem)
        new_certificate(again, "later", ["x.example"], NOW).certificate.verify_directly_issued_by(self.ca.certificate)

    def test_what_is_none_is_refused(self) -> None:
        with self.assertRaises(ValueError):
            read_key_pair(self.ca.certificate_pem, b"nothing")
