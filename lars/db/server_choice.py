"""Which of several database servers is used, and what is wrong with the others. Pure; any thread may call it.

See docs/design/database.md, several servers.
"""

from collections.abc import Sequence
from threading import Lock

from lars.db.url import Server


class ServerChoice:
    """The server that a process uses: the first that takes writes, until it fails; then the next one.

    A server that answers but takes no writes is used for reads while there is no better one.
    """

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = tuple(servers)
        self._lock = Lock()  # guards the rest
        self._current = self._servers[0]
        self._problems: dict[Server, str] = {}

    @property
    def current(self) -> Server:
        """The server that is used."""
        return self._current

    @property
    def no_writes(self) -> str:
        """Why the server that is used takes no writes; empty if it does, or if that is not known."""
        return self._problems.get(self._current, "")

    def in_turn(self) -> list[Server]:
        """All servers in the order in which to try them: the one that is used first."""
        at = self._servers.index(self._current)
        return [*self._servers[at:], *self._servers[:at]]

    def failed(self, server: Server, problem: str) -> None:
        """Notes what is wrong with a server, in words that follow its name: "refuses connections"."""
        with self._lock:
            self._problems[server] = problem

    def use(self, server: Server, problem: str = "", *, instead_of: Server) -> str:
        """From now on a server is used, unless another thread has chosen meanwhile.

        Args:
            server: the server.
            problem: why it takes no writes; empty if it does.
            instead_of: the server that was used when the look at `server` began.

        Returns:
            The text to log if that is a change, else "".
        """
        with self._lock:
            if self._current != instead_of:
                return ""
            was = self._problems.get(self._current, "")
            self._current = server
            if problem:
                self._problems[server] = problem
            else:
                self._problems.pop(server, None)
            if instead_of != server:
                reason = f": {instead_of} {was}" if was else ""
                return f"the database is at {server} now{reason}" + (f"; {server} {problem}" if problem else "")
            if problem and not was:
                return f"the database at {server} {problem}, and no other server takes writes"
            if was and not problem:
                return f"the database at {server} takes writes again"
            return ""

    @property
    def problems(self) -> str:
        """What is wrong with each server, for messages: "db1:3306 refuses connections, db2:3306 is read-only"."""
        problems = self._problems
        return ", ".join(f"{server} {problems[server]}" for server in self._servers if server in problems)
