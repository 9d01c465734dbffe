"""The lars-web that is measured, with a user who is signed in."""

import time

from bench.processes.ports import ReservedPort
from bench.services.lars_service import LarsService
from lars.accounts import hash_password
from lars.db.accounts import NewToken, Session, add_token_txn, add_user_txn, begin_session_txn
from lars.db.engine import Transaction
from lars.web.auth.secrets import TOKEN_PREFIX, digest_of, new_secret


class LarsWeb(LarsService):
    """lars-web on a database. `session` is the signed-in user's cookie, `token` one for the API."""

    def __init__(self, url: str) -> None:
        port = ReservedPort()
        self.port = port.number
        self.session = new_secret()
        self.token = TOKEN_PREFIX + new_secret()
        super().__init__("lars-web", "--db", url, "--listen", port.endpoint, ports=(port,))

    def add_user_txn(self, txn: Transaction) -> None:
        """Adds the user with the session and the token; to be run before it is started."""
        now = time.time()
        add_user_txn(txn, "bench", "bench", hash_password("bench bench"), "editor", now)
        begin_session_txn(txn, Session(digest_of(self.session), "bench", int(now), int(now) + 86_400), now)
        add_token_txn(txn, "bench", NewToken(digest_of(self.token), "bench", "bench", "editor"), now)
