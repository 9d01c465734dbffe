"""A MariaDB server of the tests' own, which they may kill, pause and start again; the system's is never touched."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymysql
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.integration.processes import Child, ReservedPort
from tests.integration.waiting import until

USER = "lars"
PASSWORD = "p%s/w@rd:?"
"""Holds whatever a URL, a conf file or a query could trip over."""


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
    assert found, f"{name} is missing: install mariadb-server (make test does, for root)"
    return found


def _certificate(folder: Path) -> list[str]:
    """Options of a server with a certificate of its own making."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lars test")])
    begin = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=3))
        .sign(key, hashes.SHA256())
    )
    pem, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, no_password)
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    return [f"--ssl-cert={folder / 'cert.pem'}", f"--ssl-key={folder / 'key.pem'}"]


class MariaDb(Child):
    """A server with its own data on its own port of 127.0.0.1, the same after each start.

    Its files are written without waiting for the disk: they survive a kill of the server, not one of the machine.
    With `tls` it encrypts where the client would, as MySQL 8 and MariaDB 11.4 do by themselves.
    """

    def __init__(self, reactor: Any, tls: bool = False) -> None:
        folder = Path(tempfile.mkdtemp(prefix="lars-db-"))  # short: the path of a socket may have 107 bytes
        self._port = ReservedPort()
        self.port = self._port.number
        self._socket = str(folder / "socket")
        (folder / "tmp").mkdir()
        self._own_files = [  # a server that starts empties its tmpdir, so it must be no other's
            *(["--user=root"] if os.getuid() == 0 else []),
            f"--datadir={folder / 'data'}",
            f"--tmpdir={folder / 'tmp'}",
        ]
        self._databases = 0
        command = [
            _program("mariadbd"),
            "--no-defaults",
            *self._own_files,
            f"--socket={self._socket}",
            f"--pid-file={folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=OFF",
            "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=8M",
            "--innodb-flush-method=nosync",
            "--innodb-flush-log-at-trx-commit=2",
            *(_certificate(folder) if tls else []),
        ]
        super().__init__(reactor, "mariadbd", command, folder)

    async def launch(self) -> None:
        """Makes the data, starts the server and waits until it answers."""
        made = subprocess.run(
            [
                _program("mariadb-install-db"),
                "--no-defaults",
                *self._own_files,
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--innodb-log-file-size=8M",
                "--innodb-flush-method=nosync",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert made.returncode == 0, made.stdout
        self.start()
        await self.answers()
        self.query(f"CREATE USER '{USER}'@'%%' IDENTIFIED BY %s", (PASSWORD,))
        self.query(f"GRANT ALL ON *.* TO '{USER}'@'%%'")

    async def answers(self, deadline: float = 60.0) -> None:
        """Waits until the server answers, after a start."""

        def answering() -> bool:
            assert self.status is None, f"mariadbd has ended:\n{self.log()[-2000:]}"
            try:
                return bool(self.query("SELECT 1"))
            except pymysql.err.OperationalError:
                return False

        await until(self._reactor, answering, lambda: f"mariadbd to answer\n{self.log()[-2000:]}", deadline)

    def query(self, sql: str, parameters: Sequence[object] = (), database: str | None = None) -> list[tuple[Any, ...]]:
        """Runs one statement as the server's root, on a connection of its own; waits for it."""
        connection = pymysql.connect(
            unix_socket=self._socket,
            user="root",
            database=database,
            autocommit=True,
            connect_timeout=5,
            ssl_disabled=True,  # making ready for TLS takes PyMySQL longer than the query
            read_timeout=20,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def url(self, database: str) -> str:
        """The URL of a database on this server, which need not exist."""
        return f"mysql://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

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

    def close(self) -> None:
        super().close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
