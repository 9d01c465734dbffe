"""A MariaDB server of the tests' own, which they may kill, pause and start again; the system's is never touched."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.processes.mariadb_server import MariaDbServer
from tests.integration.waiting import until

USER = "lars"
PASSWORD = "p%s/w@rd:?"
"""Holds whatever a URL, a conf file or a query could trip over."""


def write_certificate(folder: Path) -> list[str]:
    """Makes a certificate of 127.0.0.1, which is its own CA, as cert.pem; options of a server that presents it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lars test")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, no_password)
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    return [f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}"]


class MariaDb(MariaDbServer):
    """A server that tests may kill, pause and start again, with a user for Lars.

    Its files are written without waiting for the disk: they survive a kill of the server, not one of the machine.
    With `tls` it encrypts where the client would, as MySQL 8 and MariaDB 11.4 do by themselves.
    """

    def __init__(self, reactor: Any, tls: bool = False) -> None:
        self._reactor = reactor
        self._databases = 0
        small = ["--innodb-log-file-size=8M", "--innodb-flush-method=nosync"]
        super().__init__([*small, "--innodb-buffer-pool-size=32M", "--innodb-flush-log-at-trx-commit=2"], small)
        if tls:
            self._command += write_certificate(self.folder)

    @property
    def certificate(self) -> Path:
        """The certificate that it presents, if it has TLS, and its CA."""
        return self.folder / "cert.pem"

    async def launch(self) -> None:
        """Makes the data, starts the server and waits until it answers."""
        self.install()
        self.start()
        await self.answers()
        self.query(f"CREATE USER '{USER}'@'%%' IDENTIFIED BY %s", (PASSWORD,))
        self.query(f"GRANT ALL ON *.* TO '{USER}'@'%%'")

    async def answers(self, deadline: float = 60.0) -> None:
        """Waits until the server answers, after a start."""
        await until(self._reactor, self.is_ready, lambda: f"mariadbd to answer\n{self.log()[-2000:]}", deadline)

    def url(self, database: str) -> str:
        """The URL of a database on this server, which need not exist."""
        return f"mysql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def socket_url(self, database: str) -> str:
        """The URL of a database on this server, by its UNIX socket."""
        return f"mysql://{USER}:{quote(PASSWORD, safe='')}@localhost/{database}?unix_socket={quote(self._socket)}"

    def new_database(self) -> str:
        """Makes an empty database; its name, which no other test gets."""
        self._databases += 1
        name = f"lars_{self._databases}"
        self.query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def kill_connections(self) -> int:
        """Ends every connection of Lars on the server, as an idle timeout or an operator does; how many there were."""
        ids = self.query("SELECT id FROM information_schema.processlist WHERE user = %s", (USER,))
        for (connection_id,) in ids:
            self.query(f"KILL {connection_id}")
        return len(ids)
