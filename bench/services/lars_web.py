"""A lars-web process under twistd, as an operator would start it, on a port of its own."""

import shutil
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from bench.processes.child_process import ChildProcess
from bench.processes.ports import ReservedPort
from bench.processes.waiting import until
from bench.services.lars_dns import checkout_environ, twistd
from lars.accounts import hash_password
from lars.db.accounts import add_token_txn, add_user_txn, begin_session_txn
from lars.db.engine import Transaction
from lars.web.tickets import TOKEN_PREFIX, digest_of, new_secret


class LarsWeb(ChildProcess):
    """lars-web in an empty folder of its own, which holds its log."""

    def __init__(self, url: str) -> None:
        self._port = ReservedPort()
        self.port = self._port.number
        self.session = new_secret()
        self.token = TOKEN_PREFIX + new_secret()
        command = [*twistd(), "lars-web", "--db", url, "--listen", f"tcp:{self.port}:interface=127.0.0.1"]
        super().__init__("lars-web", command, Path(tempfile.mkdtemp(prefix="lars-bench-web-")), checkout_environ())

    def let_in_txn(self, txn: Transaction) -> None:
        """Adds a user who is signed in, and a token."""
        now = time.time()
        add_user_txn(txn, "bench", "bench", hash_password("bench bench"), "editor", now)
        begin_session_txn(txn, digest_of(self.session), "bench", now, int(now) + 86_400)
        add_token_txn(txn, "bench", digest_of(self.token), "bench", "bench", "editor", now)

    def until_answering(self) -> None:
        """Waits until it answers."""

        def answering() -> bool:
            self.require_running()
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/static/lars.css")
                return connection.getresponse().status == 200
            except OSError:
                return False

        until(answering, "lars-web to answer", 30)

    def close(self) -> None:
        super().close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)
