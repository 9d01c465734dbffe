"""The settings of lars-reporter."""

from dataclasses import dataclass

from lars.db.settings import database_setting
from lars.metrics.settings import metrics_setting
from lars.networks import ANY, Networks, networks
from lars.reporter.alarms.rules import DEFAULT_RULES, AlarmRule, default_rule_names, parse_rule, rules_named
from lars.runtime.admission_settings import allow_setting, tls_setting, token_file_setting, without_token_setting
from lars.settings import (
    endpoint,
    integer,
    legacy_key,
    legacy_listen,
    log_format_setting,
    number,
    seconds,
    sections,
    setting,
    site_url,
)


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
    allow: Networks = allow_setting("reporter", "agents connect")
    token_file: str = token_file_setting(
        "reporter", "File with the tokens, one a line, of which agents must present one; empty: none is needed"
    )
    allow_without_token: Networks = without_token_setting("reporter")
    tls_cert: str = tls_setting("reporter", "the certificate of this server and its chain")
    tls_key: str = tls_setting("reporter", "the key of tls_cert")
    tls_ca: str = tls_setting("reporter", "the CA that agents' certificates must be signed by")
    max_connections: int = setting(
        20_000,
        "reporter",
        integer(1, 1_000_000),
        "Connections served at once; more are closed and counted",
        legacy=legacy_key("reactor", "maxConn"),
    )
    max_per_address: int = setting(
        10_000,
        "reporter",
        integer(1, 1_000_000),
        "Connections of one address, or of an IPv6 /64; more are closed and counted",
    )
    max_rows_per_minute: int = setting(
        300_000,
        "reporter",
        integer(1, 1_000_000_000),
        "Rows (one of status, one of history a host) that one connection reports in a minute; then it is paused",
    )
    max_callers: int = setting(
        16, "reporter", integer(1, 1_000_000), "Callers that one connection reports for; more end it"
    )
    allow_callers: Networks = setting(
        ANY,
        "reporter",
        networks,
        "Networks, by commas, whose agents may report for other addresses than their own, as behind NAT or with "
        "--caller; any: all, which is logged; empty: none",
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
    default_alarms: str = setting(
        ", ".join(rule.name for rule in DEFAULT_RULES),
        "reporter",
        default_rule_names,
        "Built-in alarm rules, which hold while there is no [alarm NAME]; empty: none",
    )
    console_url: str = setting(
        "", "reporter", site_url, "Where people find the console, such as https://lars.example, for links in alarms"
    )
    metrics: str = metrics_setting("reporter")
    log_format: str = log_format_setting("reporter")
    alarms: tuple[AlarmRule, ...] = sections("alarm", parse_rule)

    @property
    def rules(self) -> tuple[AlarmRule, ...]:
        """The rules to evaluate: those of the conf, or the default ones if it has none."""
        return self.alarms or rules_named(self.default_alarms)

    @property
    def threads(self) -> int:
        """Connections to the database: one for each writer, one for alarms, one for pruning."""
        return self.db_thread_cnt + 2
