"""The settings of lars-reporter."""

from dataclasses import dataclass

from lars.db.settings import database_setting
from lars.metrics.settings import metrics_setting
from lars.reporter.alarms.rules import AlarmRule, parse_rule
from lars.settings import endpoint, integer, legacy_key, legacy_listen, number, seconds, sections, setting, site_url


@dataclass(frozen=True, slots=True)
class ReporterSettings:
    """The settings of lars-reporter, as conf/lars-reporter.conf describes them."""

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
    idle_timeout: float = setting(
        3600.0, "reporter", seconds, "Seconds after which a connection that has never sent anything is dropped"
    )
    stall_timeout: float = setting(
        60.0, "reporter", seconds, "Seconds after which an agent that does not read is dropped"
    )
    db_thread_cnt: int = setting(
        3, "reporter", integer(1, 64), "Writers to the database", legacy=legacy_key("repoter", "db_thread_cnt")
    )
    flush_interval: float = setting(0.5, "reporter", seconds, "Seconds for which a report waits for others")
    batch_rows: int = setting(1000, "reporter", integer(1, 100_000), "Rows that are written at once without waiting")
    max_pending_rows: int = setting(
        200_000,
        "reporter",
        integer(1000, 100_000_000),
        "Distinct rows held while they cannot be written; beyond it, the agents that send most are paused",
    )
    history_days: float = setting(
        7.0, "reporter", number(0.01, 36_500), "Days after which history and the rows of silent callers are deleted"
    )
    alarm_interval: float = setting(5.0, "reporter", seconds, "Seconds between two evaluations of the alarm rules")
    console_url: str = setting(
        "", "reporter", site_url, "Where people find the console, such as https://lars.example, for links in alarms"
    )
    metrics: str = metrics_setting("reporter")
    alarms: tuple[AlarmRule, ...] = sections("alarm", parse_rule)

    @property
    def threads(self) -> int:
        """Connections to the database: one for each writer, one for alarms, one for pruning."""
        return self.db_thread_cnt + 2
