"""Services under a low limit of open files: bounded connections, bounded log, and metrics that answer."""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.threads import deferToThread

from bench.processes.http import get
from bench.processes.twistd import checkout_environ, twistd_command
from lars.db.database import Database
from lars.db.schema import init_txn
from tests.integration.processes import Child, ReservedPort
from tests.integration.waiting import until

CONNECTIONS = 400


def is_open(connection: socket.socket) -> bool:
    """Whether the server has kept a connection that nothing was sent on."""
    try:
        return bool(connection.recv(1, socket.MSG_DONTWAIT))
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.mark.parametrize("plugin", ["lars-dns", "lars-reporter", "lars-web"])
async def test_more_connections_than_files_leave_metrics_log_and_those_that_are_open(
    reactor: Any, tmp_path: Path, sqlite_url: str, open_database: Callable[[str], Database], plugin: str
) -> None:
    await open_database(sqlite_url).write("create the schema", init_txn)
    with ExitStack() as stack:
        listen, metrics = stack.enter_context(ReservedPort()), stack.enter_context(ReservedPort())
        options = [f"--db={sqlite_url}", f"--listen={listen.endpoint}", f"--metrics={metrics.endpoint}"]
        command = ["prlimit", "--nofile=100:300", *twistd_command(plugin, *options)]
        service = stack.enter_context(Child(reactor, plugin, command, tmp_path, checkout_environ()))
        service.start()
        await service.says(f"{plugin} answers on")
        assert "open files and the limit is 300" in service.log()

        connections = [
            stack.enter_context(socket.create_connection(("127.0.0.1", listen.number))) for _ in range(CONNECTIONS)
        ]
        await until(reactor, lambda: sum(map(is_open, connections)) < 225, "some connections to be closed")
        status, _page = await deferToThread(get, metrics.number, "/metrics")
        assert status == 200
        assert sum(map(is_open, connections)) > 150
        assert service.log().count("closed: this process has 225 files open") == 1
        assert "EMFILE" not in service.log()

        for connection in connections:
            connection.close()

        async def takes_connections() -> bool:
            with socket.create_connection(("127.0.0.1", listen.number)) as connection:
                await deferToThread(get, metrics.number, "/healthz")  # by its answer, the connection is taken or closed
                return is_open(connection)

        await until(reactor, takes_connections, "connections to be taken again")
        assert "Traceback" not in service.log()
