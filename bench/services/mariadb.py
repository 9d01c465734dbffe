"""A MariaDB server of the benchmark's own, as safe with its data as a real one; the system's is never touched."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pymysql

from bench.errors import BenchError
from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort
from bench.processes.waiting import until


def _program(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
    if not found:
        raise BenchError(f"{name} is missing: apt-get install mariadb-server")
    return found


class MariaDb(ChildProcess):
    """A server with its own data on its own port; every commit is on the disk before it returns."""

    def __init__(self) -> None:
        server, install = _program("mariadbd"), _program("mariadb-install-db")
        folder = Path(tempfile.mkdtemp(prefix="lars-bench-db-"))  # short: the path of a socket may have 107 bytes
        self._port = ReservedPort()
        as_user = ["--user=root"] if os.getuid() == 0 else []
        self._install = [install, "--no-defaults", *as_user, f"--datadir={folder / 'data'}", "--skip-test-db"]
        self._install += ["--auth-root-authentication-method=normal"]
        command = [
            server,
            "--no-defaults",
            *as_user,
            f"--datadir={folder / 'data'}",
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
            "--bind-address=127.0.0.1",
            f"--port={self._port.number}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--performance-schema=OFF",
            "--innodb-buffer-pool-size=1G",
            "--innodb-log-file-size=256M",
            "--innodb-flush-log-at-trx-commit=1",
        ]
        super().__init__("mariadbd", command, folder)

    def launch(self) -> None:
        """Makes the data, starts the server and waits until it answers."""
        made = subprocess.run(self._install, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        if made.returncode != 0:
            raise BenchError(f"mariadb-install-db: {made.stdout[-500:]} {made.stderr[-500:]}")
        self.start()
        until(self._answers, "mariadbd to answer", 60, 0.05)

    def _answers(self) -> bool:
        self.require_running()
        try:
            pymysql.connect(host="127.0.0.1", port=self._port.number, user="root", connect_timeout=5).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        """The URL of a database on this server, which need not exist."""
        return f"mysql://root@127.0.0.1:{self._port.number}/{database}"

    def close(self) -> None:
        super().close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
