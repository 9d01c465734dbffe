"""When tokens were last used and sessions last seen: gathered, and written at most once a minute for each."""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from lars.db.accounts import AccountStore
from lars.db.engine import DatabaseError
from lars.runtime.log_limit import LogLimit
from lars.runtime.periodic import Periodic

_log = Logger()

TICK = 1.0
"""Seconds between two writes of what is due."""

AGAIN = 60.0
"""Seconds for which a use is not written again."""

MOST = 10_000
"""Uses that wait to be written at most; of others the next one is written."""


class LastUses:
    """The last uses at one lars-web; no request waits for their writing. `now` gives Unix seconds."""

    def __init__(self, accounts: AccountStore, reactor: IReactorTime, now: Callable[[], float]) -> None:
        self._accounts = accounts
        self._reactor = reactor
        self._now = now
        self._limit = LogLimit(reactor.seconds)
        self._written: dict[int | str, float] = {}
        self._due: set[int | str] = set()
        self._writes = Periodic("writing of last uses", TICK, self._write, reactor)

    def start(self) -> None:
        """Starts the writes."""
        self._writes.start()

    def stop(self) -> Deferred[None]:
        """Ends the writes; fires when none is under way, so the database must answer or be closed."""
        return self._writes.stop()

    def token(self, token_id: int) -> None:
        """A token has been used."""
        self._used(token_id)

    def session(self, digest: str) -> None:
        """A session has been seen."""
        self._used(digest)

    def _used(self, key: int | str) -> None:
        if key not in self._written and len(self._due) < MOST:
            self._due.add(key)

    async def _write(self) -> None:
        now = self._reactor.seconds()
        self._written = {key: at for key, at in self._written.items() if now - at < AGAIN}
        due, self._due = self._due - self._written.keys(), set()
        if not due:
            return
        tokens = sorted(key for key in due if isinstance(key, int))
        sessions = sorted(key for key in due if isinstance(key, str))
        self._written.update(dict.fromkeys(due, now))
        try:
            await self._accounts.record_uses(tokens, sessions, self._now())
        except DatabaseError as error:
            if self._limit.admit("fault"):
                _log.warn("the last uses of tokens and sessions cannot be written: {error}", error=str(error))
