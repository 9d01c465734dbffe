"""Connections to MySQL and MariaDB: by TLS or not, to one server or to the one of several that works.

See docs/design/database.md, several servers.
"""

import socket
from contextlib import suppress
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import pymysql
from pymysql.constants import CR, ER
from twisted.logger import Logger

from lars.db.server_choice import ServerChoice
from lars.db.server_state import STATUS, VARIABLES, why_no_writes
from lars.db.server_watch import LOOK_TIMEOUT, ServerWatch
from lars.db.url import MysqlUrl, Server

CONNECT_TIMEOUT = 3

_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""A read sees one moment, whatever the server's default."""

_log = Logger()


def reason(error: Exception) -> str:
    """The server's, or PyMySQL's, reason for an error, in one line."""
    return " ".join(str(error.args[-1] if error.args else error).split()) or type(error).__name__


def _connected_socket(server: Server, unix_socket: str, timeout: float) -> socket.socket:
    """Raises OSError, or UnicodeError for an invalid host name."""
    if unix_socket:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.settimeout(timeout)
            sock.connect(unix_socket)
        except OSError:
            sock.close()
            raise
        return sock
    sock = socket.create_connection(server, timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return sock


def _why_no_writes(connection: "pymysql.Connection[Any]") -> str:
    """What a server says of itself; see server_state."""
    with connection.cursor() as cursor:
        cursor.execute(VARIABLES)
        variables = dict(cursor.fetchall())
        cursor.execute(STATUS)
        return why_no_writes(variables, dict(cursor.fetchall()))


class MysqlConnections:
    """Opens the sockets itself, so that `interrupt` can shut them down. Any thread may call it.

    Args:
        url: the database.
        read_timeout: seconds without a byte after which a query fails.
    """

    def __init__(self, url: MysqlUrl, read_timeout: float) -> None:
        self._url = url
        self._read_timeout = read_timeout
        self._lock = Lock()  # guards the next four
        self._sockets: WeakKeyDictionary[socket.socket, Server] = WeakKeyDictionary()
        self._connections: WeakKeyDictionary[pymysql.Connection[Any], Server] = WeakKeyDictionary()
        self._watch: ServerWatch | None = None
        self.interrupted = False
        """Whether all connections are closed for good."""
        self._choice = ServerChoice(url.servers)
        self._looking: tuple[Server, pymysql.Connection[Any]] | None = None  # the watch's own connection

    def connect(self, database: str | None) -> "pymysql.Connection[Any]":
        """A new connection to a database, or to none; raises pymysql.MySQLError."""
        if not self._url.others:
            return self._connect_to(self._choice.current, database, CONNECT_TIMEOUT, self._read_timeout)
        self._start_watch()
        fallback: tuple[Server, pymysql.Connection[Any], str] | None = None
        failure: pymysql.MySQLError | None = None
        for server in self._choice.in_turn():
            try:
                connection = self._connect_to(server, database, LOOK_TIMEOUT, self._read_timeout)
                problem = _why_no_writes(connection)
            except pymysql.MySQLError as error:
                failure = error
                self._choice.failed(server, f"fails: {reason(error)}")
                continue
            if not problem:
                if fallback is not None:
                    fallback[1].close()
                self._log(self._choice.use(server))
                return connection
            self._choice.failed(server, problem)
            if fallback is None:
                fallback = server, connection, problem
            else:
                connection.close()
        if fallback is not None:
            server, connection, problem = fallback
            self._log(self._choice.use(server, problem))
            return connection
        assert failure is not None
        raise type(failure)(failure.args[0] if failure.args else 0, self._choice.problems) from failure

    def check_writable(self) -> None:
        """Raises pymysql.OperationalError if it is known that no server takes writes."""
        if self._url.others and (problem := self._choice.no_writes):
            text = f"no server takes writes: {self._choice.current} {problem}"
            raise pymysql.err.OperationalError(ER.OPTION_PREVENTS_STATEMENT, text)

    def interrupt(self) -> None:
        """Makes the queries of all threads fail at once, now and later."""
        with self._lock:
            self.interrupted = True
            watch = self._watch
        if watch is not None:
            watch.stop()
        self._shut_down()

    def _log(self, text: str) -> None:
        if text:
            _log.warn("{text}", text=text)

    def _connect_to(
        self, server: Server, database: str | None, connect_timeout: float, read_timeout: float
    ) -> "pymysql.Connection[Any]":
        url = self._url
        connection = pymysql.connect(
            host=server.host,
            port=server.port,
            user=url.user,
            password=url.password,
            database=database,
            charset="utf8mb4",
            autocommit=True,
            connect_timeout=connect_timeout,
            read_timeout=min(read_timeout, connect_timeout) if url.others else read_timeout,
            write_timeout=read_timeout,
            init_command="SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 10",
            defer_connect=True,
            **self._tls(),
        )
        try:
            sock = _connected_socket(server, url.unix_socket, connect_timeout)
        except (OSError, UnicodeError) as error:  # UnicodeError: an invalid host name
            reason = getattr(error, "strerror", None) or str(error)
            raise pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, reason) from error
        with self._lock:
            if self.interrupted:
                sock.close()
                raise pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, "the connection is being closed")
            self._sockets[sock] = server
            self._connections[connection] = server
        try:
            connection.connect(sock)
            connection.query(_ISOLATION)
        except pymysql.MySQLError:
            raise
        except Exception as error:  # PyMySQL fails in many ways on a greeting that is not MySQL's
            reason = "the server does not speak the MySQL protocol"
            raise pymysql.err.OperationalError(CR.CR_SERVER_HANDSHAKE_ERR, reason) from error
        connection._read_timeout = read_timeout  # type: ignore[attr-defined]  # a server is given less to greet
        return connection

    def _tls(self) -> dict[str, Any]:
        if not self._url.ssl_ca:
            return {}
        return {"ssl_ca": self._url.ssl_ca, "ssl_verify_cert": True, "ssl_verify_identity": True}

    # -- several servers

    def _start_watch(self) -> None:
        with self._lock:
            if self._watch is None and not self.interrupted:
                self._watch = ServerWatch(self._look)
                self._watch.start()

    def _look(self) -> None:
        """Leaves the server that is used if it hangs, or takes no writes while another does; in the watch's thread."""
        current = self._choice.current
        problem, answers = self._problem_of(current)
        if not problem:
            self._log(self._choice.use(current))
            return
        self._choice.failed(current, problem)
        for server in self._choice.in_turn()[1:]:
            other, _answers = self._problem_of(server)
            if not other:
                self._log(self._choice.use(server))
                answers = False
                break
            self._choice.failed(server, other)
        if not answers:  # what waits for it fails now, and begins again elsewhere
            self._shut_down(current)

    def _problem_of(self, server: Server) -> tuple[str, bool]:
        """Why a server takes no writes, or "", and whether it answers."""
        looking, self._looking = self._looking, None
        try:
            if looking is None or looking[0] != server:
                if looking is not None:
                    looking[1].close()
                looking = server, self._connect_to(server, None, LOOK_TIMEOUT, LOOK_TIMEOUT)
            problem = _why_no_writes(looking[1])
        except (pymysql.MySQLError, OSError) as error:
            return f"fails: {reason(error)}", False
        self._looking = looking
        return problem, True

    def _shut_down(self, server: Server | None = None) -> None:
        """Makes the queries at a server, or at all, fail at once."""
        with self._lock:
            # TLS wraps the socket in another one
            wrapped = [(c._sock, at) for c, at in self._connections.items()]  # type: ignore[attr-defined]
            sockets = [sock for sock, at in [*self._sockets.items(), *wrapped] if sock and server in (None, at)]
        for sock in sockets:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)
