"""The MariaDB server that figures are measured on, as safe with its data as a real one."""

from bench.processes.mariadb_server import MariaDbServer
from bench.processes.waiting import until


class MariaDb(MariaDbServer):
    """Every commit is on the disk before it returns."""

    def __init__(self) -> None:
        super().__init__(
            ["--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M", "--innodb-flush-log-at-trx-commit=1"]
        )

    def launch(self) -> None:
        """Makes its data, starts it and waits until it is ready."""
        self.install()
        self.start()
        until(self.is_ready, "mariadbd to be ready", 60, 0.05)

    def url(self, database: str) -> str:
        """The URL of a database on this server, which need not exist."""
        return f"mysql://root@127.0.0.1:{self.port}/{database}"
