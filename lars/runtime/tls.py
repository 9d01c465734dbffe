"""TLS with certificates of one CA on both sides, read again when their files change (docs/security.md, TLS)."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import VerificationError
from service_identity.cryptography import verify_certificate_hostname, verify_certificate_ip_address
from twisted.internet.interfaces import (
    IAddress,
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTime,
)
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from zope.interface import implementer

from lars.errors import LarsError
from lars.runtime.log_limit import LogLimit
from lars.runtime.tls_errors import VERIFY_ERRORS, CheckedConnection

_log = Logger()

DAY = 86_400.0

SOON = 14 * DAY
"""Seconds before the end of a certificate from which it is warned of, once a day."""


MISMATCH = "is the key of another certificate than tls_cert"
"""What is wrong with a key that OpenSSL says does not match."""


class TlsFilesError(LarsError):
    """A certificate or key cannot be read, or they do not belong together."""


class TlsFiles(NamedTuple):
    """The PEM files of one side: its certificate with the chain, if there is one, its key, and the CA of the other."""

    cert: str
    key: str
    ca: str


class Tls:
    """The certificate of this side and the CA that the other side's must be signed by.

    Raises TlsFilesError if the files cannot be used. Later, files that cannot be used leave what was read before.

    Args:
        files: the files.
        clock: the reactor, or a Clock in tests.
        wall_clock: gives Unix seconds.

    Attributes:
        context: what new connections are made with; open ones keep theirs.
        expires_at: when the certificate, and the CA's, end, in Unix seconds, by the name of the setting.
    """

    def __init__(self, files: TlsFiles, clock: IReactorTime, wall_clock: Callable[[], float]) -> None:
        self._files = files
        self._wall_clock = wall_clock
        self._ending = LogLimit(clock.seconds, interval=DAY)
        self._is_unusable = False
        self._stamps = self._stat()
        self._load()
        self._warn_of_end()

    def _load(self) -> None:
        context = _context(self._files)
        expires_at = {"tls_cert": _end_of(self._files.cert), "tls_ca": _end_of(self._files.ca)}
        self.context, self.expires_at = context, expires_at

    def reload(self) -> None:
        """Reads the files again if they have changed; called by timer."""
        self._warn_of_end()
        try:
            stamps = self._stat()
            if stamps == self._stamps:
                return
            self._load()
        except TlsFilesError as error:
            if not self._is_unusable:
                _log.error("{error}; the certificate that was read before stays in use", error=str(error))
            self._is_unusable = True
        else:
            self._stamps, self._is_unusable = stamps, False
            _log.info("{cert} read: new connections use it", cert=self._files.cert)
            self._warn_of_end()

    def _warn_of_end(self) -> None:
        for name, end in self.expires_at.items():
            if end - self._wall_clock() < SOON and self._ending.admit((name, end)):
                text = "the certificate of {name}, {file}, ends at {end}: renew it"
                file = self._files.cert if name == "tls_cert" else self._files.ca
                _log.warn(text, name=name, file=file, end=_date(end))

    def fault(self) -> str:
        """Why no peer can trust this side any more; empty while it can."""
        end = self.expires_at["tls_cert"]
        return f"the certificate of tls_cert expired at {_date(end)}" if end <= self._wall_clock() else ""

    def seconds_left(self) -> dict[str, float]:
        """Seconds until the certificates end, by the name of the setting; negative once they have."""
        now = self._wall_clock()
        return {name: end - now for name, end in self.expires_at.items()}

    def _stat(self) -> list[tuple[int, int, int]]:
        try:
            stats = [Path(path).stat() for path in self._files]
        except OSError as error:
            raise TlsFilesError(f"{error.filename}: cannot be read: {error.strerror}") from None
        return [(stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats]

    def served(self, factory: IProtocolFactory, clock: IReactorTime) -> IProtocolFactory:
        """A factory whose connections speak TLS, and whose peers must have a certificate of the CA."""
        return _TlsServerFactory(_ServerConnections(self), False, factory, clock)

    def to(self, host: str) -> IOpenSSLClientConnectionCreator:
        """Makes the connections to a server, whose certificate must be of the CA and for this name or address."""
        return _ClientConnections(self, host)


def tls_of(files: TlsFiles, clock: IReactorTime, wall_clock: Callable[[], float]) -> Tls | None:
    """The Tls of three settings; None if they are empty. Raises TlsFilesError if only some are."""
    if not any(files):
        return None
    if not all(files):
        raise TlsFilesError("tls_cert, tls_key and tls_ca belong together: set all of them, or none")
    return Tls(files, clock, wall_clock)


class _TlsServerFactory(TLSMemoryBIOFactory):
    """A TLSMemoryBIOFactory whose factory may refuse a connection."""

    def buildProtocol(self, addr: IAddress) -> TLSMemoryBIOProtocol | None:  # type: ignore[override]
        wrapped = self.wrappedFactory.buildProtocol(addr)
        return None if wrapped is None else self.protocol(self, wrapped)

    def logPrefix(self) -> str:
        return f"{type(self.wrappedFactory).__name__} (TLS)"


@implementer(IOpenSSLServerConnectionCreator)
class _ServerConnections:
    def __init__(self, tls: Tls) -> None:
        self._tls = tls

    def serverConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return _connection(self._tls.context, lambda _certificate: None)


@implementer(IOpenSSLClientConnectionCreator)
class _ClientConnections:
    def __init__(self, tls: Tls, host: str) -> None:
        self._tls = tls
        self._host = host

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        host, is_address = self._host, _is_address(self._host)
        verify: Callable[[x509.Certificate, str], None] = (
            verify_certificate_ip_address if is_address else verify_certificate_hostname
        )
        connection = _connection(self._tls.context, lambda certificate: verify(certificate, host))
        if not is_address:
            connection.set_tlsext_host_name(host.encode("ascii"))
        return connection


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _connection(context: SSL.Context, check_name: Callable[[x509.Certificate], None]) -> CheckedConnection:
    """A connection that notes what is wrong with the other side's certificate."""
    connection = CheckedConnection(context, None)

    def verified(_connection: SSL.Connection, certificate: X509, error: int, depth: int, ok: int) -> bool:
        try:
            if not ok:
                whose = "its certificate" if not depth else "a certificate that signs its own"
                connection.problem = f"{whose} {VERIFY_ERRORS.get(error, f'is refused (error {error} of OpenSSL)')}"
                return False
            if not depth:
                check_name(certificate.to_cryptography())
        except VerificationError:
            connection.problem = "its certificate is for another name"
            return False
        except Exception as bug:  # an exception would be lost in OpenSSL, and the certificate taken
            connection.problem = f"its certificate cannot be checked: {bug}"
            return False
        return True

    connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verified)
    return connection


def _context(files: TlsFiles) -> SSL.Context:
    """A context of both sides for TLS 1.2 and later; raises TlsFilesError."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(secrets.token_bytes(16))
    _use(files.cert, "is no certificate in PEM", context.use_certificate_chain_file)
    _use(
        files.key,
        "is no private key in PEM without a password",
        lambda path: context.use_privatekey(_key(path)),
    )
    _use(files.ca, "is no certificate in PEM", context.load_verify_locations)
    _use(files.ca, "is no certificate in PEM", lambda path: context.load_client_ca(path.encode()))
    return context


def _key(path: str) -> EllipticCurvePrivateKey:
    """The private key of a file, of whatever kind; raises ValueError or TypeError if it is none, or has a password."""
    return cast(EllipticCurvePrivateKey, serialization.load_pem_private_key(Path(path).read_bytes(), None))


def _use(path: str, problem: str, use: Callable[[str], object]) -> None:
    try:
        Path(path).open("rb").close()  # OpenSSL does not say why it cannot
        use(path)
    except OSError as error:
        raise TlsFilesError(f"{path}: cannot be read: {error.strerror}") from None
    except (SSL.Error, TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise TlsFilesError(f"{path}: {MISMATCH if 'mismatch' in str(error) else problem}") from None


def _end_of(path: str) -> float:
    """When the first certificate of a file ends, in Unix seconds."""
    try:
        return x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc.timestamp()
    except (OSError, ValueError):
        raise TlsFilesError(f"{path}: is no certificate in PEM") from None


def _date(when: float) -> str:
    return f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M} UTC"
