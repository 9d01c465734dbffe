"""The database setting, which all services with a database share."""

from typing import Any

from lars.db.url import DEFAULT_URL, SqliteUrl, mysql_url_text, parse_url
from lars.settings import Legacy, setting

_MYSQL_KEYS = tuple(("mysql", key) for key in ("db_host", "db_port", "db_user", "db_passwd", "db_name"))


def absolute_url(text: str) -> str:
    """A database URL, with an SQLite path made absolute; raises SettingsError unless parse_url accepts it."""
    url = parse_url(text)
    return str(url) if isinstance(url, SqliteUrl) else text


def database_setting() -> Any:
    """A settings field for the name `db`: [database] url, the C++ [mysql] section, LARS_DB, --db-file or --db."""
    return setting(
        DEFAULT_URL,
        "database",
        absolute_url,
        "The database: mysql://user:password@host:3306/lars_dns or sqlite:///lars.db",
        key="url",
        environ="LARS_DB",
        legacy=(Legacy(_MYSQL_KEYS, mysql_url_text),),
        in_file=True,
    )
