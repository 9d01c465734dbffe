"""Database URLs: mysql://user:password@host:3306/lars_dns and sqlite:///lars.db (docs/design/database.md, URLs)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote, urlsplit

from lars.errors import SettingsError

DEFAULT_URL = "sqlite:///lars.db"
"""The database of a service whose settings name none."""


class Server(NamedTuple):
    """Where a database server listens."""

    host: str
    port: int = 3306

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class MysqlUrl:
    """A MySQL or MariaDB database, on one server or on several that hold the same data."""

    host: str
    port: int
    user: str
    password: str
    database: str
    unix_socket: str = ""
    """The absolute path of the server's UNIX socket, by which it is reached instead of host and port."""
    others: tuple[Server, ...] = ()
    """Further servers, in the order in which they are tried."""
    ssl_ca: str = ""
    """The absolute path of the CA's certificate; with it the connection is by TLS, to a server of that name alone."""

    @property
    def servers(self) -> tuple[Server, ...]:
        """All servers, in the order in which they are tried."""
        return (Server(self.host, self.port), *self.others)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """Without the password, for logs."""
        options = {"unix_socket": self.unix_socket, "ssl_ca": self.ssl_ca}
        query = "&".join(f"{name}={quote(path)}" for name, path in options.items() if path)
        where = self.host if self.unix_socket else ",".join(map(str, self.servers))
        return f"mysql://{self.user}@{where}/{self.database}{query and '?'}{query}"


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


_EXAMPLE = (
    "write mysql://user:password@host:3306/lars_dns, perhaps with more servers, host1:3306,host2, and with "
    "?unix_socket=/run/mysqld/mysqld.sock or ?ssl_ca=/etc/lars/ca.pem "
    "(a '/', '@', '%', '#' or '?' in the password as %2F, %40, %25, %23, %3F)"
)


def _parse_mysql(text: str) -> MysqlUrl:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise SettingsError(f"the MySQL URL has a bad host or port: {_EXAMPLE}") from None
    database = unquote(parts.path.lstrip("/"))
    login, _at, hosts = parts.netloc.rpartition("@")
    options = _options(parts.query)
    unix_socket = options.get("unix_socket", "")
    if unix_socket and not hosts.partition(":")[0]:
        hosts = f"localhost{hosts}"
    first, *others = map(_server, hosts.split(","))
    if not all([first.host, *(server.host for server in others)]) or not database or "/" in database:
        raise SettingsError(f"the MySQL URL lacks a host or a database name: {_EXAMPLE}")
    if parts.fragment or not all([first.port, *(server.port for server in others)]):
        raise SettingsError(f"the MySQL URL has something after the database name, or port 0: {_EXAMPLE}")
    if unix_socket and others:
        raise SettingsError(f"the MySQL URL has several servers and a UNIX socket: {_EXAMPLE}")
    user, _colon, password = login.partition(":")
    return MysqlUrl(
        *first,
        unquote(user) or "root",
        unquote(password),
        database,
        unix_socket,
        tuple(others),
        options.get("ssl_ca", ""),
    )


def _server(text: str) -> Server:
    try:
        parts = urlsplit(f"//{text}")
        port = 3306 if parts.port is None else parts.port
    except ValueError:
        raise SettingsError(f"the MySQL URL has a bad host or port: {_EXAMPLE}") from None
    return Server(unquote(parts.hostname or ""), port)


def _options(query: str) -> dict[str, str]:
    options = {}
    for each in filter(None, query.split("&")):
        name, _equals, path = each.partition("=")
        options[name] = unquote(path)
        if name not in ("unix_socket", "ssl_ca") or not options[name].startswith("/"):
            raise SettingsError(f"the MySQL URL has something after the database name, or port 0: {_EXAMPLE}")
    return options


def mysql_url_text(parts: Mapping[str, str]) -> str:
    """The URL for the keys of a C++ [mysql] section: db_host, db_port, db_user, db_passwd, db_name."""

    def part(key: str, default: str) -> str:
        return quote(parts.get(key, default), safe="")

    login = f"{part('db_user', 'root')}:{part('db_passwd', '')}"
    return f"mysql://{login}@{part('db_host', '127.0.0.1')}:{part('db_port', '3306')}/{part('db_name', 'lars_dns')}"
