"""What was wrong with a TLS connection, in words."""

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from lars.runtime.tls_errors import CheckedConnection, what_failed


@implementer(IOpenSSLServerConnectionCreator)
class Connections:
    """Makes the connections of a TLS server without a certificate."""

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return CheckedConnection(SSL.Context(SSL.TLS_METHOD), None)


class WhatFailedTests(SynchronousTestCase):
    def setUp(self) -> None:
        factory = TLSMemoryBIOFactory(Connections(), False, Factory.forProtocol(Protocol), Clock())
        self.tls = TLSMemoryBIOProtocol(factory, Protocol())
        self.tls.makeConnection(StringTransport())

    def failed(self, *reasons: str) -> str:
        return what_failed(self.tls, Failure(SSL.Error([("SSL routines", "", reason) for reason in reasons])))

    def test_reasons_of_openssl_are_words_about_the_peer(self) -> None:
        for reason, words in (
            ("wrong version number", "it does not speak TLS"),
            ("tlsv13 alert certificate required", "it demands a certificate: set tls_cert and tls_key"),
            ("tlsv1 alert unknown ca", "it does not trust this side's certificate: its tls_ca has not signed it"),
            ("peer did not return a certificate", "it presents no certificate, and tls_ca demands one"),
            ("something new", "TLS failed: something new"),
        ):
            self.assertEqual(self.failed(reason), words)
        self.assertEqual(self.failed(), "TLS failed: for no reason that OpenSSL gives")

    def test_what_is_wrong_with_a_certificate_goes_first(self) -> None:
        self.tls.getHandle().problem = "its certificate has expired"
        self.assertEqual(self.failed("certificate verify failed"), "its certificate has expired")

    def test_connection_that_is_closed_in_order_has_not_failed(self) -> None:
        self.assertEqual(what_failed(self.tls, Failure(ConnectionDone())), "")

    def test_connection_without_tls_has_not_failed_by_it(self) -> None:
        self.assertEqual(what_failed(StringTransport(), Failure(ConnectionDone())), "")
