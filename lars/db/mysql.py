"""MySQL 5.7 and 8, and MariaDB, through PyMySQL (docs/design/database.md, engines)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

import pymysql
import pymysql.cursors
from pymysql.constants import CR, ER

from lars.db.engine import Connection, DatabaseAway, Engine, Transaction, values_clause
from lars.db.mysql_connections import MysqlConnections, reason
from lars.db.url import MysqlUrl

READ_TIMEOUT = 10
"""Seconds without a byte after which a query fails; PyMySQL's default is to wait for ever."""

_LOST = frozenset(
    {
        CR.CR_SERVER_GONE_ERROR,
        CR.CR_SERVER_LOST,
        1927,  # MariaDB: connection was killed
        4031,  # MySQL: closed by the server because of inactivity
        0,  # PyMySQL: the connection was closed beneath the query
    }
)
"""The connection is gone."""

_PASSING = frozenset(
    {
        CR.CR_CONN_HOST_ERROR,
        CR.CR_CONNECTION_ERROR,
        ER.CON_COUNT_ERROR,
        ER.SERVER_SHUTDOWN,
        ER.LOCK_WAIT_TIMEOUT,
        ER.LOCK_DEADLOCK,
        ER.CHECKREAD,
        ER.QUERY_INTERRUPTED,
        ER.OPTION_PREVENTS_STATEMENT,  # read-only: a failover under way, or an operator's switch
        ER.DISK_FULL,
        ER.RECORD_FILE_FULL,
        ER.UNKNOWN_COM_ERROR,  # Galera: the node is not in the primary component
        1226,  # a user's limit of queries or connections an hour
        ER.ERROR_DURING_COMMIT,  # Galera: the node has left the primary component; the outcome is unknown
        *_LOST,
    }
)

_REFUSALS = frozenset(
    {
        ER.UNKNOWN_COM_ERROR,  # Galera: the node is not in the primary component
        ER.ERROR_DURING_COMMIT,
        ER.OPTION_PREVENTS_STATEMENT,  # read-only
        ER.SERVER_SHUTDOWN,
    }
)
"""The server takes no transactions now; another one may."""

_MADE_ALREADY = frozenset({ER.TABLE_EXISTS_ERROR, ER.DUP_FIELDNAME, ER.DUP_KEYNAME})

_UNDONE = frozenset(
    {
        ER.LOCK_DEADLOCK,  # also a conflict with another node of Galera, found at the commit
        ER.UNKNOWN_COM_ERROR,  # Galera: outside of the primary component, refused before it is carried out
        ER.CHECKREAD,  # MariaDB from 11.6 on: a row that it has read and now locks has changed since
        ER.DUP_ENTRY,  # another transaction has made the row meanwhile; the next run sees it
    }
)
"""The transaction is not committed, and may do if it runs again."""

_BAD_ROW = frozenset(
    {
        1690,  # a sum is out of its column's range
        4025,  # MariaDB: a CHECK constraint
        3819,  # MySQL: a CHECK constraint
        1644,  # a trigger's SIGNAL
    }
)

_ROWS_AT_ONCE = 1000
"""Rows of one INSERT: far below any max_allowed_packet; more would not be faster."""


class MysqlEngine(Engine):
    """A database on a server, or on several that hold the same."""

    name = "mysql"
    begin_read = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
    begin_write = "START TRANSACTION"
    for_update = " FOR UPDATE"
    now = "UNIX_TIMESTAMP() + MICROSECOND(UTC_TIMESTAMP(6)) / 1000000"
    loses_answers = True
    errors = pymysql.MySQLError

    def __init__(self, url: MysqlUrl, read_timeout: float = READ_TIMEOUT) -> None:
        self._url = url
        self._connections = MysqlConnections(url, read_timeout)
        self._has_others = bool(url.others)
        self.where = str(url)

    def connect(self) -> Connection:
        connection: Connection = self._connections.connect(self._url.database)
        return connection

    def begin(self, cursor: Any, statement: str) -> None:
        self._connections.check(cursor.connection, is_write=statement == self.begin_write)
        super().begin(cursor, statement)

    def interrupt_all(self) -> None:
        self._connections.interrupt()

    def is_snapshot_too_old(self, error: Exception) -> bool:
        return bool(error.args) and error.args[0] == ER.TABLE_DEF_CHANGED

    def is_lost(self, error: Exception) -> bool:
        # A server that does not answer in time has the same code; to wait for it again would double the wait.
        late = isinstance(error.__context__, TimeoutError)
        return not self._connections.interrupted and not late and bool(error.args) and error.args[0] in _LOST

    def is_undone(self, error: Exception, at_commit: bool) -> bool:
        if not isinstance(error, pymysql.MySQLError) or self._connections.interrupted:
            return False
        return (bool(error.args) and error.args[0] in _UNDONE) or (
            not at_commit and (self.is_lost(error) or self.is_refusal(error))
        )

    def is_refusal(self, error: Exception) -> bool:
        return self._has_others and bool(error.args) and error.args[0] in _REFUSALS

    def is_made_already(self, error: Exception) -> bool:
        return bool(error.args) and error.args[0] in _MADE_ALREADY

    def is_passing(self, error: Exception) -> bool:
        return (
            isinstance(error, pymysql.err.OperationalError | pymysql.err.InterfaceError | pymysql.err.InternalError)
            and bool(error.args)
            and error.args[0] in _PASSING
        )

    def is_bad_row(self, error: Exception) -> bool:
        if isinstance(error, pymysql.err.DataError | pymysql.err.IntegrityError):
            return True
        return isinstance(error, pymysql.MySQLError) and bool(error.args) and error.args[0] in _BAD_ROW

    def is_missing_table(self, error: Exception) -> bool:
        missing = (ER.NO_SUCH_TABLE, ER.BAD_FIELD_ERROR, ER.BAD_DB_ERROR)
        return isinstance(error, pymysql.MySQLError) and bool(error.args) and error.args[0] in missing

    def reason(self, error: Exception) -> str:
        return reason(error)

    @staticmethod
    @lru_cache(maxsize=256)
    def _marks(sql: str) -> str:
        return sql.replace("%", "%%").replace("?", "%s")

    def placeholders(self, sql: str) -> str:
        return self._marks(sql)

    def execute_numbers(self, cursor: Any, sql: str, rows: Sequence[Sequence[int]]) -> None:
        # PyMySQL's executemany checks the type of each value, which takes longer than the server takes for the row.
        head, marks, tail = re.split(r"(\(\?(?:, \?)*\))", sql, maxsplit=1)
        form = marks.replace(" ", "").replace("?", "%d")
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            values = ",".join([form % row for row in map(tuple, rows[start : start + _ROWS_AT_ONCE])])
            cursor.execute(f"{head}{values}{tail}")

    def delete_some(self, table: str, condition: str, limit: int) -> str:
        return f"DELETE FROM {table} WHERE {condition} LIMIT {limit}"

    def streaming_cursor(self, cursor: Any) -> Any:
        return pymysql.cursors.SSCursor(cursor.connection)

    def upsert(self, table: str, key: Sequence[str], replace: Iterable[str], add: Iterable[str] = ()) -> str:
        replace, add = list(replace), list(add)
        changes = [f"{c} = VALUES({c})" for c in replace] + [f"{c} = {c} + VALUES({c})" for c in add]
        insert = f"INSERT INTO {table} {values_clause([*key, *replace, *add])}"
        return f"{insert} ON DUPLICATE KEY UPDATE {', '.join(changes)}"

    def insert_ignore(self, table: str, columns: Sequence[str]) -> str:
        # Not INSERT IGNORE, which would also swallow values out of range.
        unchanged = f"{columns[0]} = {columns[0]}"
        return f"INSERT INTO {table} {values_clause(columns)} ON DUPLICATE KEY UPDATE {unchanged}"

    def column_names(self, txn: Transaction, table: str) -> list[str]:
        query = (
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position"
        )
        return [row[0] for row in txn.all(query, (table,))]

    def has_index(self, txn: Transaction, table: str, index: str) -> bool:
        query = (
            "SELECT 1 FROM information_schema.statistics "
            "WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ? LIMIT 1"
        )
        return txn.one(query, (table, index)) is not None

    def create_database(self) -> bool:
        try:
            self.connect().close()
        except pymysql.err.OperationalError as error:
            if error.args[0] != ER.BAD_DB_ERROR:
                raise
        else:
            return False
        connection = self._connections.connect(None)
        try:
            name = self._url.database.replace("`", "``")
            connection.cursor().execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4")
        finally:
            connection.close()
        return True

    @contextmanager
    def schema_lock(self, txn: Transaction) -> Iterator[None]:
        lock = "CONCAT('lars db init ', MD5(DATABASE()))"  # a lock's name has at most 64 characters
        for _attempt in range(60):  # each shorter than the read timeout
            if txn.one(f"SELECT GET_LOCK({lock}, 5)") == (1,):
                break
        else:
            raise DatabaseAway(f"{self.where}: another `lars db init` is running: try again when it has ended")
        try:
            yield
        finally:
            with suppress(pymysql.MySQLError):  # a lost connection has released it
                txn.execute(f"SELECT RELEASE_LOCK({lock})")

    def adopt_cpp_columns(self, txn: Transaction) -> list[str]:
        done = []
        for column in ("ip", "port", "caller"):  # some versions of the C++ schema have them signed
            column_type, _charset = self._column(txn, "ServerCallStatus", column)
            if not column_type or column_type.endswith("unsigned"):
                continue
            txn.execute(f"ALTER TABLE ServerCallStatus MODIFY {column} BIGINT NOT NULL")
            txn.execute(f"UPDATE ServerCallStatus SET {column} = {column} + 4294967296 WHERE {column} < 0")
            txn.execute(f"ALTER TABLE ServerCallStatus MODIFY {column} INT UNSIGNED NOT NULL")
            done.append(f"made ServerCallStatus.{column} unsigned")
        for table in ("ModIDConfig", "CmdIDConfig"):
            _column_type, charset = self._column(txn, table, "content")
            if charset not in ("", "utf8mb4"):
                txn.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4")
                done.append(f"made the names in {table} utf8mb4")
        return done

    def _column(self, txn: Transaction, table: str, column: str) -> tuple[str, str]:
        query = (
            "SELECT column_type, COALESCE(character_set_name, '') FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?"
        )
        row = txn.one(query, (table, column))
        return (str(row[0]), str(row[1])) if row else ("", "")
