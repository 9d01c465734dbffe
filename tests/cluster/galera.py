"""A Galera cluster of three MariaDB nodes on ports of this machine, which tests kill, stop and cut off.

The settings that bound a failover are those that docs/operations.md recommends.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pymysql

from bench.processes.errors import ProcessError
from bench.processes.ports import ReservedPort
from tests.integration.mariadb import PASSWORD, USER, MariaDb
from tests.integration.waiting import until

PROVIDER = Path("/usr/lib/galera/libgalera_smm.so")
"""Where Debian's galera-4 puts the library."""

_TIMEOUTS = {
    "evs.keepalive_period": "PT0.25S",
    "evs.inactive_check_period": "PT0.25S",
    "evs.suspect_timeout": "PT2S",
    "evs.inactive_timeout": "PT4S",
    "evs.install_timeout": "PT4S",
}


class Node(MariaDb):
    """One node of a cluster."""

    def __init__(self, reactor: Any, name: str) -> None:
        super().__init__(reactor)
        self.name = name
        self.log_file = self.folder / f"{name}.log"
        self.group, self._ist, self._sst = ReservedPort(), ReservedPort(), ReservedPort()
        if os.getuid() == 0:  # rsync, by which a node copies its data to another, serves no files of root
            for options in (self._command, self._own_files):
                options[options.index("--user=root")] = "--user=mysql"
            for path in (self.folder, self.folder / "tmp"):
                shutil.chown(path, "mysql", "mysql")

    def belong(self, group: Sequence[int]) -> None:
        """Makes it a node of the cluster whose nodes have these group ports."""
        options = {
            "gmcast.listen_addr": f"tcp://127.0.0.1:{self.group.number}",
            "ist.recv_addr": f"127.0.0.1:{self._ist.number}",
            "gcache.size": "32M",
            **_TIMEOUTS,
        }
        self._command += [
            "--wsrep-on=ON",
            f"--wsrep-provider={PROVIDER}",
            "--wsrep-cluster-name=lars-test",
            f"--wsrep-cluster-address=gcomm://{','.join(f'127.0.0.1:{port}' for port in group)}",
            "--wsrep-node-address=127.0.0.1",
            f"--wsrep-node-name={self.name}",
            "--wsrep-sst-method=rsync",
            f"--wsrep-sst-donor={'node1' if self.name == 'node3' else 'node3'},",  # which services use last
            f"--wsrep-sst-receive-address=127.0.0.1:{self._sst.number}",
            f"--wsrep-provider-options={';'.join(f'{key}={value}' for key, value in options.items())}",
            "--binlog-format=ROW",
            "--default-storage-engine=InnoDB",
            "--innodb-autoinc-lock-mode=2",
        ]

    def start_with(self, *options: str) -> None:
        """Starts it with further options, this once."""
        command, self._command = self._command, [*self._command, *options]
        try:
            self.start()
        finally:
            self._command = command

    def copy_data(self, other: "Node") -> None:
        """Takes over the data of a node that has stopped."""
        subprocess.run(["cp", "-a", str(other.folder / "data"), str(self.folder / "data")], check=True)

    def recover(self) -> None:
        """Starts it after a kill as Debian's service does: it finds its position first, and gets what it lacks."""
        log = self.folder / "recovery.log"
        log.unlink(missing_ok=True)
        command = [*self._command, "--wsrep-recover", f"--log-error={log}"]
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        position = re.search(r"Recovered position: *(\S+)", log.read_text(encoding="utf-8"))
        assert position is not None, log.read_text(encoding="utf-8")[-2000:]
        self.start_with(f"--wsrep-start-position={position[1]}")

    @property
    def is_synced(self) -> bool:
        """Whether it is a full node of the majority."""
        if not self.is_ready():
            return False
        status = dict(self.query("SHOW GLOBAL STATUS LIKE 'wsrep%%'"))
        return (status["wsrep_cluster_status"], status["wsrep_local_state_comment"]) == ("Primary", "Synced")

    async def synced(self, deadline: float = 60.0) -> None:
        """Waits until it is a full node of the majority."""
        await until(
            self._reactor, lambda: self.is_synced, lambda: f"{self.name} to be synced: {self.log()[-2000:]}", deadline
        )

    def isolate(self, isolated: bool) -> None:
        """Cuts it off from the other nodes, or connects it again."""
        self.query(f"SET GLOBAL wsrep_provider_options = 'gmcast.isolate={int(isolated)}'")

    @contextmanager
    def behind(self) -> Iterator[None]:
        """Keeps it from applying anything, on a connection of its own, without holding the others up."""
        self.query("SET GLOBAL wsrep_desync = ON")
        with closing(pymysql.connect(unix_socket=self._socket, user="root", ssl_disabled=True)) as connection:
            connection.query("FLUSH TABLES WITH READ LOCK")
            yield
            connection.query("UNLOCK TABLES")
        self.query("SET GLOBAL wsrep_desync = OFF")

    def close(self) -> None:
        super().close()
        for port in (self.group, self._ist, self._sst):
            port.close()


class Cluster:
    """Three nodes with a user for Lars."""

    def __init__(self, reactor: Any) -> None:
        if not PROVIDER.exists():
            raise ProcessError(
                f"{PROVIDER} is missing: run `apt-get install galera-4`, as `make test-cluster` does for root"
            )
        self._reactor = reactor
        self._databases = 0
        self.nodes = [Node(reactor, f"node{number}") for number in (1, 2, 3)]

    async def launch(self) -> None:
        """Makes the data once, copies it, and starts the nodes."""
        first, *others = self.nodes
        for node in self.nodes:
            node.belong([each.group.number for each in self.nodes])
        first.install()
        first.start_with("--wsrep-new-cluster")
        await first.synced()
        first.query(f"CREATE USER '{USER}'@'%%' IDENTIFIED BY %s", (PASSWORD,))
        first.query(f"GRANT ALL ON *.* TO '{USER}'@'%%'")
        first.terminate()
        await until(self._reactor, lambda: first.status is not None, "the first node to stop", 60)
        for node in others:
            node.copy_data(first)
        first.start_with("--wsrep-new-cluster")
        await first.synced()
        for node in others:
            node.start()
        await self.healed()

    async def healed(self) -> None:
        """Brings all nodes back, and waits until they are synced and see each other."""
        for node in self.nodes:
            if node.status is not None:
                node.recover()
            else:
                node.resume()
        for node in self.nodes:
            await node.answers()
            node.isolate(False)
            node.query("SET GLOBAL wsrep_desync = OFF")
        for node in self.nodes:
            await node.synced()
        await until(self._reactor, lambda: self._sizes() == {"3"}, "the nodes to see each other", 30)

    def _sizes(self) -> set[str]:
        """How many nodes each node sees."""
        return {str(node.query("SHOW STATUS LIKE 'wsrep_cluster_size'")[0][1]) for node in self.nodes}

    def new_database(self) -> str:
        """Makes an empty database; its name, which no other test gets."""
        self._databases += 1
        name = f"lars_{self._databases}"
        self.nodes[0].query(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def url(self, database: str, first: int = 0) -> str:
        """The URL of a database on all nodes, of which one comes first."""
        order = [*self.nodes[first:], *self.nodes[:first]]
        servers = ",".join(f"127.0.0.1:{node.port}" for node in order)
        return order[0].url(database).replace(f"127.0.0.1:{order[0].port}", servers)

    def close(self) -> None:
        """Ends all nodes and deletes their data."""
        for node in self.nodes:
            node.close()
