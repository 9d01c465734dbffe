"""A MariaDB server with data and a port of its own; the system's is never touched."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pymysql

from bench.processes.child_process import ChildProcess
from bench.processes.errors import ProcessError
from bench.processes.ports import ReservedPort


class MariaDbServer(ChildProcess):
    """A server on a port of 127.0.0.1, the same after each start, in a new folder that is deleted at `close`.

    Args:
        options: of the server, such as how safe it is with its data.
        install_options: those of them that making its data needs as well.
    """

    def __init__(self, options: Sequence[str], install_options: Sequence[str] = ()) -> None:
        server, self._install_program = _program("mariadbd"), _program("mariadb-install-db")
        folder = Path(tempfile.mkdtemp(prefix="lars-db-"))  # short: the path of a socket may have 107 bytes
        self._port = ReservedPort()
        self.port = self._port.number
        self._socket = str(folder / "socket")
        (folder / "tmp").mkdir()
        self._own_files = [  # a server that starts empties its tmpdir, so no other may share it
            *(["--user=root"] if os.getuid() == 0 else []),
            f"--datadir={folder / 'data'}",
            f"--tmpdir={folder / 'tmp'}",
        ]
        self._install_options = install_options
        command = [
            server,
            "--no-defaults",
            *self._own_files,
            f"--socket={self._socket}",
            f"--pid-file={folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=OFF",
            *options,
        ]
        super().__init__("mariadbd", command, folder)

    def install(self) -> None:
        """Makes the data of a new server; takes about a second."""
        command = [
            self._install_program,
            "--no-defaults",
            *self._own_files,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *self._install_options,
        ]
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if made.returncode != 0:
            raise ProcessError(f"mariadb-install-db failed: {made.stdout[-1000:]}{made.stderr[-1000:]}")

    def is_ready(self) -> bool:
        """Whether it answers a query; raises ProcessError if it has ended."""
        self.require_running()
        try:
            return bool(self.query("SELECT 1"))
        except pymysql.err.OperationalError:
            return False

    def query(self, sql: str, parameters: Sequence[object] = (), database: str | None = None) -> list[tuple[Any, ...]]:
        """Runs one statement as the server's root, on a connection of its own; waits for it."""
        connection = pymysql.connect(
            unix_socket=self._socket,
            user="root",
            database=database,
            autocommit=True,
            connect_timeout=5,
            ssl_disabled=True,  # preparing for TLS takes PyMySQL longer than the query
            read_timeout=20,
        )
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, parameters)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def close(self) -> None:
        """Ends it and deletes its data."""
        super().close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
    if not found:
        raise ProcessError(f"{name} is missing: run `apt-get install mariadb-server`, as `make test` does for root")
    return found
