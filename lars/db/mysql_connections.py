"""Connections to MySQL and MariaDB: by TLS or not, to one server or to the one of several that works.

See docs/design/database.md, several servers.
"""

import socket
import ssl
from contextlib import suppress
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import pymysql
from pymysql.constants import CR, ER
from twisted.logger import Logger

from lars.db.server_choice import ServerChoice
from lars.db.server_state import STATUS, VARIABLES, is_galera, why_no_writes
from lars.db.server_watch import LOOK_TIMEOUT, ServerWatch
from lars.db.url import MysqlUrl, Server

CONNECT_TIMEOUT = 3

_ISOLATION = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
"""A read sees one moment, whatever the server's default."""

_CAUSAL = "SET SESSION wsrep_sync_wait = 1"
"""A transaction on a node of Galera sees what was committed on any other before it began (Galera's documentation,
wsrep_sync_wait)."""

_HOST_CODES = (62, 64)
"""OpenSSL's numbers for a certificate of another host name or address (x509_vfy.h)."""

_HOST_MISMATCH = "the server's certificate is for another host: name the server as the certificate does"
_REFUSED = "the server's certificate does not pass ssl_ca"
_NO_TLS = "the server speaks no TLS, which ssl_ca demands: set ssl_cert and ssl_key of the server, or remove ssl_ca"

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


def _ask(connection: "pymysql.Connection[Any]") -> tuple[bool, str]:
    """Whether a server is a node of Galera, and why it takes no writes; see server_state."""
    with connection.cursor() as cursor:
        cursor.execute(VARIABLES)
        variables = dict(cursor.fetchall())
        cursor.execute(STATUS)
        return is_galera(variables), why_no_writes(variables, dict(cursor.fetchall()))


def _as_refused(error: pymysql.MySQLError, ssl_ca: str) -> pymysql.MySQLError:
    """An error of TLS in words that say what to do; any other as it is."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        words = _HOST_MISMATCH if cause.verify_code in _HOST_CODES else f"{_REFUSED} {ssl_ca}: {cause.verify_message}"
        return pymysql.err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, words)
    if isinstance(cause, ssl.SSLError) or (error.args and error.args[0] == CR.CR_SSL_CONNECTION_ERROR):
        return pymysql.err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, _NO_TLS)
    return error


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
        before, fallback, failures = self._choice.current, None, []
        for server in self._choice.in_turn():
            try:
                connection = self._connect_to(server, database, LOOK_TIMEOUT, self._read_timeout)
                problem = self._prepared(connection)
            except pymysql.MySQLError as error:
                failures.append(error)
                self._choice.failed(server, f"fails: {reason(error)}")
                continue
            if not problem or fallback is None:
                if fallback is not None:
                    fallback[1].close()
                fallback = server, connection, problem
            else:
                connection.close()
                self._choice.failed(server, problem)
            if not problem:
                break
        if fallback is None:
            # What a server that answers has said is more than that another cannot be reached.
            telling = [error for error in failures if error.args and error.args[0] != CR.CR_CONN_HOST_ERROR]
            failure = [*telling, *failures][0]
            raise type(failure)(failure.args[0] if failure.args else 0, self._choice.problems) from failure
        server, connection, problem = fallback
        self._log(self._choice.use(server, problem, instead_of=before))
        return connection

    def _prepared(self, connection: "pymysql.Connection[Any]") -> str:
        """Prepares a connection to one of several servers; returns why the server takes no writes."""
        try:
            node_of_galera, problem = _ask(connection)
            if node_of_galera and not problem:
                connection.query(_CAUSAL)
        except pymysql.MySQLError:
            connection.close()
            raise
        return problem

    def check(self, connection: "pymysql.Connection[Any]", *, is_write: bool) -> None:
        """Raises pymysql.OperationalError if a transaction is not to begin on a connection.

        A connection to a server that is not used any more is closed, and the error is that it was lost. For a write,
        some server must take writes, as far as is known.
        """
        if not self._url.others:
            return
        with self._lock:
            server = self._connections.get(connection)
        current = self._choice.current
        if server != current:
            connection.close()
            raise pymysql.err.OperationalError(CR.CR_SERVER_GONE_ERROR, f"{current} is used instead of {server}")
        if is_write and (problem := self._choice.no_writes):
            text = f"no server takes writes: {current} {problem}"
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
            if url.ssl_ca and not isinstance(connection._sock, ssl.SSLSocket):  # type: ignore[attr-defined]
                raise pymysql.err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, _NO_TLS)
            connection.query(_ISOLATION)
        except pymysql.MySQLError as error:
            connection._force_close()  # type: ignore[attr-defined]  # with TLS, another socket than sock
            sock.close()
            raise _as_refused(error, url.ssl_ca) from error
        except Exception as error:  # PyMySQL fails in many ways on a greeting that is not MySQL's
            sock.close()
            reason = "the server does not speak the MySQL protocol"
            raise pymysql.err.OperationalError(CR.CR_SERVER_HANDSHAKE_ERR, reason) from error
        connection._read_timeout = read_timeout  # type: ignore[attr-defined]  # a server is given less to greet
        return connection

    def _tls(self) -> dict[str, Any]:
        if not self._url.ssl_ca:
            return {}
        try:
            ssl.create_default_context(cafile=self._url.ssl_ca)
        except (OSError, ssl.SSLError) as error:
            text = f"ssl_ca={self._url.ssl_ca} holds no certificate: {error.strerror or error}"
            raise pymysql.err.OperationalError(CR.CR_SSL_CONNECTION_ERROR, text) from error
        return {"ssl_ca": self._url.ssl_ca, "ssl_verify_cert": True, "ssl_verify_identity": True}

    # -- several servers

    def _start_watch(self) -> None:
        with self._lock:
            if self._watch is None and not self.interrupted:
                self._watch = ServerWatch(self._look, self._end_look)
                self._watch.start()

    def _look(self) -> None:
        """Leaves the server that is used if it hangs, or takes no writes while another does; in the watch's thread."""
        current = self._choice.current
        problem, answers = self._problem_of(current)
        if not problem:
            self._log(self._choice.use(current, instead_of=current))
            return
        for server in self._choice.in_turn()[1:]:
            other, _answers = self._problem_of(server)
            if not other:
                self._choice.failed(current, problem)
                self._log(self._choice.use(server, instead_of=current))
                answers = False
                break
            self._choice.failed(server, other)
        else:
            self._log(self._choice.use(current, problem, instead_of=current))
        if not answers:  # what waits for it fails now, and begins again elsewhere: a commit can wait there for ever
            self._shut_down(current)

    def _problem_of(self, server: Server) -> tuple[str, bool]:
        """Why a server takes no writes, or "", and whether it answers."""
        try:
            if self._looking is None or self._looking[0] != server:
                self._end_look()
                self._looking = server, self._connect_to(server, None, LOOK_TIMEOUT, LOOK_TIMEOUT)
            return _ask(self._looking[1])[1], True
        except (pymysql.MySQLError, OSError) as error:
            self._end_look()
            return f"fails: {reason(error)}", False

    def _end_look(self) -> None:
        """Closes the watch's own connection; in the watch's thread."""
        looking, self._looking = self._looking, None
        if looking is not None:
            with suppress(pymysql.MySQLError, OSError):
                looking[1].close()

    def _shut_down(self, server: Server | None = None) -> None:
        """Makes the queries at a server, or at all, fail at once."""
        with self._lock:
            # TLS wraps the socket in another one
            wrapped = [(c._sock, at) for c, at in self._connections.items()]  # type: ignore[attr-defined]
            sockets = [sock for sock, at in [*self._sockets.items(), *wrapped] if sock and server in (None, at)]
        for sock in sockets:
            with suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)
