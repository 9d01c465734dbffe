"""Database URLs: mysql://user:password@host:3306/lars_dns and sqlite:///lars.db (docs/design/database.md, URLs)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from lars.errors import SettingsError

DEFAULT_URL = "sqlite:///lars.db"
"""The database of a service whose settings name none."""


@dataclass(frozen=True, slots=True)
class MysqlUrl:
    """A MySQL or MariaDB database."""

    host: str
    port: int
    user: str
    password: str
    database: str
    unix_socket: str = ""
    """The absolute path of the server's UNIX socket, by which it is reached instead of host and port."""

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Without the password, for logs."""
        if self.unix_socket:
            return f"mysql://{self.user}@{self.host}/{self.database}?unix_socket={quote(self.unix_socket)}"
        return f"mysql://{self.user}@{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True, slots=True)
class SqliteUrl:
    """An SQLite database file, by its absolute path."""

    path: Path

    def __str__(self) -> str:
        return f"sqlite:///{quote(str(self.path))}"


DatabaseUrl = MysqlUrl | SqliteUrl


def parse_url(text: str) -> DatabaseUrl:
    """Parses a database URL; raises SettingsError, whose text never shows a password.

    An SQLite path is made absolute at once, because a daemon changes its directory: sqlite:///lars.db is relative to
    the current directory, sqlite:////var/lib/lars.db is absolute.
    """
    scheme, colon, rest = text.partition("://")
    if scheme == "sqlite" and colon:
        path = rest[1:]
        if not rest.startswith("/") or not path or path == "/" or path == ":memory:":
            raise SettingsError("an SQLite URL names a file: sqlite:///lars.db or sqlite:////var/lib/lars/lars.db")
        return SqliteUrl(Path(unquote(path)).absolute())
    if scheme == "mysql" and colon:
        return _parse_mysql(text)
    found = f", not with {scheme}://" if colon and scheme.isalnum() else ""  # anything else may hold a password
    raise SettingsError(
        f"a database URL starts with mysql:// or sqlite:///{found}: use "
        "mysql://user:password@host:3306/lars_dns or sqlite:///lars.db"
    )


def _parse_mysql(text: str) -> MysqlUrl:
    example = (
        "write mysql://user:password@host:3306/lars_dns, perhaps with ?unix_socket=/run/mysqld/mysqld.sock "
        "(a '/', '@', '%', '#' or '?' in the password as %2F, %40, %25, %23, %3F)"
    )
    try:
        parts = urlsplit(text)
        port = 3306 if parts.port is None else parts.port
    except ValueError:
        raise SettingsError(f"the MySQL URL has a bad host or port: {example}") from None
    database = unquote(parts.path.lstrip("/"))
    key, _equals, path = parts.query.partition("=")
    unix_socket = unquote(path) if key == "unix_socket" else ""
    host = unquote(parts.hostname or ("localhost" if unix_socket else ""))
    if not host or not database or "/" in database:
        raise SettingsError(f"the MySQL URL lacks a host or a database name: {example}")
    if not port or parts.fragment or (parts.query and not unix_socket.startswith("/")):
        raise SettingsError(f"the MySQL URL has something after the database name, or port 0: {example}")
    user = unquote(parts.username or "root")
    return MysqlUrl(host, port, user, unquote(parts.password or ""), database, unix_socket)


def mysql_url_text(parts: Mapping[str, str]) -> str:
    """The URL for the keys of a C++ [mysql] section: db_host, db_port, db_user, db_passwd, db_name."""

    def part(key: str, default: str) -> str:
        return quote(parts.get(key, default), safe="")

    login = f"{part('db_user', 'root')}:{part('db_passwd', '')}"
    return f"mysql://{login}@{part('db_host', '127.0.0.1')}:{part('db_port', '3306')}/{part('db_name', 'lars_dns')}"
