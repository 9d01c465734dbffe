"""What was wrong with a TLS connection, in words (docs/security.md, TLS)."""

from OpenSSL import SSL
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

VERIFY_ERRORS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is not signed by tls_ca",
    19: "is not signed by tls_ca",
    20: "is not signed by tls_ca",
    21: "is not signed by tls_ca",
    7: "is not signed by tls_ca",
    24: "is signed by a certificate that may not sign",
    26: "is for another purpose",
}
"""What is wrong with a certificate, by OpenSSL's number (x509_vfy.h)."""

ERRORS = {
    "peer did not return a certificate": "it presents no certificate, and tls_ca demands one",
    "tlsv13 alert certificate required": "it demands a certificate: set tls_cert and tls_key",
    "certificate required": "it demands a certificate: set tls_cert and tls_key",
    "unknown ca": "it does not trust this side's certificate: its tls_ca has not signed it",
    "certificate expired": "this side's certificate has expired",
    "bad certificate": "it does not accept this side's certificate",
    "alert internal error": "it does not accept this side's certificate",
    "unsupported certificate": "it does not accept this side's certificate for this purpose",
    "wrong version number": "it does not speak TLS",
    "http request": "it does not speak TLS",
    "packet length too long": "it does not speak TLS",
    "unsupported protocol": "it speaks no TLS from 1.2 on",
    "record layer failure": "it does not speak TLS",
}
"""What is wrong with a connection, by a part of OpenSSL's reason."""


class CheckedConnection(SSL.Connection):
    """A connection that knows what is wrong with the other side's certificate."""

    problem = ""
    """As the end of a sentence about the peer; empty while nothing is."""


def what_failed(transport: object, reason: Failure) -> str:
    """Why TLS ended a connection, as the end of a sentence about the peer; empty if it was not TLS that did."""
    if not isinstance(transport, TLSMemoryBIOProtocol):
        return ""
    connection = transport.getHandle()
    if isinstance(connection, CheckedConnection) and connection.problem:
        return connection.problem
    if not isinstance(reason.value, SSL.Error):
        return ""
    said = [str(entry[-1]) for entry in (reason.value.args[0] if reason.value.args else ())]
    for text in said:
        for part, words in ERRORS.items():
            if part in text:
                return words
    return f"TLS failed: {said[-1] if said else 'for no reason that OpenSSL gives'}"
