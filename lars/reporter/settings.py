"""The settings of lars-reporter."""

from dataclasses import dataclass

from lars.db.settings import database_setting
from lars.settings import endpoint, integer, legacy_key, legacy_listen, seconds, setting


@dataclass(frozen=True, slots=True)
class ReporterSettings:
    """What lars-reporter can be told; conf/lars-reporter.conf has every key."""

    db: str = database_setting()
    listen: str = setting(
        "tcp:7779:interface=127.0.0.1",
        "reporter",
        endpoint,
        "Where agents connect, as a Twisted endpoint string",
        legacy=legacy_listen(7779),
    )
    max_connections: int = setting(
        20_000,
        "reporter",
        integer(1, 1_000_000),
        "Connections served at once; more are closed and counted",
        legacy=legacy_key("reactor", "maxConn"),
    )
    db_thread_cnt: int = setting(
        3, "reporter", integer(1, 64), "Writers to the database", legacy=legacy_key("repoter", "db_thread_cnt")
    )
    flush_interval: float = setting(0.5, "reporter", seconds, "Seconds that a report waits to be written with others")
    batch_rows: int = setting(1000, "reporter", integer(1, 100_000), "Rows that are written at once without waiting")
    max_pending_rows: int = setting(
        200_000, "reporter", integer(1000, 100_000_000), "Rows held while the database is away; then reading pauses"
    )
