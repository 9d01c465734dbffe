"""`lars db init` and `lars db check`: creates what is missing, upgrades older schemas, deletes nothing.

See docs/design/database.md, schema steps.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lars.db.engine import Engine, Transaction
from lars.errors import InvalidRoute
from lars.host_record import DEFAULT_WEIGHT, MAX_WEIGHT, weight, zone
from lars.module_settings import from_json
from lars.route import MAX_HOSTS, MAX_ID, MAX_PORT
from lars.shipped import shipped
from lars.wording import counted

BESIDE_OTHERS = 20
"""How often another `lars db init` may make something first: the nodes of a cluster do not see each other's lock."""

Step = Callable[[Transaction], list[str]]
"""Upgrades a schema by one version and returns what it did; idempotent."""


def init_txn(txn: Transaction) -> list[str]:
    """Creates and upgrades the schema; returns one line for each change, none if it was complete.

    On MySQL each DDL statement commits by itself, so each step checks what exists and can be interrupted and run
    again.
    """
    for _attempt in range(BESIDE_OTHERS):
        try:
            with txn.engine.schema_lock(txn):
                return _upgrade(txn)
        except txn.engine.errors as error:
            if not txn.engine.is_made_already(error):
                raise
    with txn.engine.schema_lock(txn):
        return _upgrade(txn)


def _upgrade(txn: Transaction) -> list[str]:
    done = []
    for step in STEPS:
        done += step(txn)
    for statement in schema_statements(txn.engine):
        table = re.match(r"CREATE TABLE IF NOT EXISTS (\w+)", statement)
        if table and not txn.engine.column_names(txn, table[1]):
            done.append(f"created table {table[1]}")
        txn.execute(statement)
    if txn.one("SELECT version FROM RouteVersion WHERE id = 1") is None:
        (highest,) = txn.one("SELECT MAX(version) FROM RouteVersion") or (0,)
        txn.execute(txn.engine.insert_ignore("RouteVersion", ["id", "version"]), (1, highest or 0))
    txn.execute(txn.engine.upsert("SchemaVersion", ["id"], ["version"]), (1, len(STEPS)))
    return done


def schema_statements(engine: Engine) -> list[str]:
    """The statements of the engine's schema file, without comments."""
    text = shipped("sql", f"{engine.name}.sql").read_text(encoding="utf-8")
    return [s.strip() for s in re.sub(r"--[^\n]*", "", text).split(";") if s.strip()]


def _adopt_cpp_schema(txn: Transaction) -> list[str]:
    """Step 1: adds to the tables of the C++ system what this schema has in addition; keeps every row."""
    done = []
    engine = txn.engine
    if engine.column_names(txn, "RouteData") and not engine.has_index(txn, "RouteData", "route"):
        moved = _move_duplicates(txn)
        txn.execute("CREATE UNIQUE INDEX route ON RouteData (modid, cmdid, serverip, serverport)")
        done.append("added the unique key of RouteData")
        if moved:
            done.append(f"moved {counted(moved, 'duplicate row')} of RouteData to RouteDuplicate")
    return done + engine.adopt_cpp_columns(txn)


def _move_duplicates(txn: Transaction) -> int:
    """Moves all but the oldest row of each route from RouteData to RouteDuplicate; returns how many."""
    for statement in schema_statements(txn.engine):
        if "RouteDuplicate" in statement:
            txn.execute(statement)
    first = "SELECT MIN(id) AS id FROM RouteData GROUP BY modid, cmdid, serverip, serverport"
    surplus = f"id NOT IN (SELECT id FROM ({first}) AS oldest)"
    columns = "id, modid, cmdid, serverip, serverport"
    txn.execute(
        f"INSERT INTO RouteDuplicate ({columns}) SELECT {columns} FROM RouteData WHERE {surplus} "
        "AND id NOT IN (SELECT id FROM RouteDuplicate)"
    )
    return txn.execute(f"DELETE FROM RouteData WHERE {surplus}")


INDEXES = (
    ("RouteData", "RouteData_host", "serverip, serverport"),
    ("ServerCallStatus", "ServerCallStatus_overload", "overload"),
    ("ModIDConfig", "ModIDConfig_modid", "modid"),
    ("CmdIDConfig", "CmdIDConfig_cmdid", "cmdid"),
)
"""Indexes of the C++ system's tables for the searches of lars-web: table, index, columns."""


def _add_indexes(txn: Transaction) -> list[str]:
    """Step 2: adds the indexes for the searches of lars-web."""
    done = []
    for table, index, columns in INDEXES:
        if txn.engine.column_names(txn, table) and not txn.engine.has_index(txn, table, index):
            txn.execute(f"CREATE INDEX {index} ON {table} ({columns})")
            done.append(f"added an index of {table}")
    return done


def _add_audit_column(txn: Transaction) -> list[str]:
    """Step 3: adds the column that distinguishes edits of names and accounts in the audit."""
    columns = txn.engine.column_names(txn, "RouteAudit")
    if not columns or "what" in columns:
        return []
    txn.execute("ALTER TABLE RouteAudit ADD COLUMN what VARCHAR(16) NOT NULL DEFAULT 'hosts'")
    return ["added RouteAudit.what"]


ALARM_COLUMNS = (
    ("CallerSeen", "skew", "INTEGER NOT NULL DEFAULT 0"),
    ("Alarm", "text_now", "VARCHAR(255) NOT NULL DEFAULT ''"),
    ("Alarm", "clear_reason", "VARCHAR(255) NOT NULL DEFAULT ''"),
)
"""Columns that show the skew of agents, and what alarms say later than when they were raised."""


def _add_alarm_columns(txn: Transaction) -> list[str]:
    """Step 4: adds the skew of agents, the latest figures of an alarm, and why it was cleared."""
    return _added(txn, ALARM_COLUMNS)


_RECORD_COLUMNS = {
    "weight": "INT NOT NULL DEFAULT 100",
    "zone": "VARCHAR(64) NOT NULL DEFAULT ''",
    "tags": "TEXT",
    "note": "VARCHAR(255) NOT NULL DEFAULT ''",
    "drained_weight": "INT",
    "drained_until": "BIGINT NOT NULL DEFAULT 0",
    "drain_reason": "VARCHAR(255) NOT NULL DEFAULT ''",
}


DRAIN_INDEX = "RouteData_drained"
"""The index by which lars-web finds the drains that are over."""


def _add_host_records(txn: Transaction) -> list[str]:
    """Step 5: adds what an operator keeps with a host to RouteData, after the columns of the C++ system."""
    there = txn.engine.column_names(txn, "RouteData")
    if not there:
        return []
    done = []
    lacking = [column for column in _RECORD_COLUMNS if column not in there]
    for column in lacking:  # one by one: SQLite adds no more, and where the server can, it is instant
        txn.execute(f"ALTER TABLE RouteData ADD COLUMN {column} {_RECORD_COLUMNS[column]}")
    if lacking:
        done.append(f"added {', '.join(lacking)} to RouteData")
    if not txn.engine.has_index(txn, "RouteData", DRAIN_INDEX):
        txn.execute(f"CREATE INDEX {DRAIN_INDEX} ON RouteData (drained_until)")
        done.append("added an index of RouteData for drains")
    return done


ACCESS_COLUMNS = (
    ("User", "ranges", "VARCHAR(500) NOT NULL DEFAULT ''"),
    ("Session", "seen_at", "BIGINT NOT NULL DEFAULT 0"),
    ("Session", "address", "VARCHAR(64) NOT NULL DEFAULT ''"),
    ("Session", "browser", "VARCHAR(255) NOT NULL DEFAULT ''"),
    ("ApiToken", "ranges", "VARCHAR(500) NOT NULL DEFAULT ''"),
    ("ApiToken", "expires_at", "BIGINT NOT NULL DEFAULT 0"),
    ("ApiToken", "used_at", "BIGINT NOT NULL DEFAULT 0"),
)
"""Columns that limit users and tokens to modules, end tokens, and show who is signed in."""


def _add_access_columns(txn: Transaction) -> list[str]:
    """Step 6: adds the ranges of users and tokens, the end and last use of tokens, and whose each session is."""
    return _added(txn, ACCESS_COLUMNS)


def _added(txn: Transaction, wanted: Iterable[tuple[str, str, str]]) -> list[str]:
    """Adds the columns that tables lack: table, column, definition. A table that is missing comes with the schema."""
    done = []
    for table, column, definition in wanted:
        columns = txn.engine.column_names(txn, table)
        if columns and column not in columns:
            txn.execute(f"ALTER TABLE {table} ADD COLUMN {column} {definition}")
            done.append(f"added {table}.{column}")
    return done


STEPS: tuple[Step, ...] = (
    _adopt_cpp_schema,
    _add_indexes,
    _add_audit_column,
    _add_alarm_columns,
    _add_host_records,
    _add_access_columns,
)
"""Upgrades from each schema version to the next. Append a new step, and put its result into the schema files.

All run each time, whatever SchemaVersion says, because loading a C++ dump restores old tables.
"""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of `lars db check`. `problems` has one line for each, with what to do."""

    version: int
    routes: int
    modules: int
    problems: list[str]


def check_txn(txn: Transaction) -> Checked:
    """Finds missing tables and columns, and rows that no service can use."""
    problems = []
    for statement in schema_statements(txn.engine):
        table = re.match(r"CREATE TABLE IF NOT EXISTS (\w+)", statement)
        if table is None:
            continue
        there = txn.engine.column_names(txn, table[1])
        lacking = [column for column in _columns(statement) if column not in there]
        if not there:
            problems.append(f"table {table[1]} is missing: run `lars db init`")
        elif lacking:
            problems.append(f"table {table[1]} lacks {', '.join(lacking)}: run `lars db init`")
    if problems:
        return Checked(0, 0, 0, problems)
    if not txn.engine.has_index(txn, "RouteData", "route"):
        problems.append("RouteData has no unique key: run `lars db init`")
    row = txn.one("SELECT version FROM RouteVersion WHERE id = 1")
    if row is None:
        problems.append("RouteVersion has no row with id 1: run `lars db init`")
    routes, modules = txn.one("SELECT COUNT(*), COUNT(DISTINCT modid * 4294967296 + cmdid) FROM RouteData") or (0, 0)
    return Checked(
        int(row[0]) if row else 0,
        int(routes),
        int(modules),
        [*problems, *_unusable_routes(txn), *_unusable_records(txn)],
    )


def _unusable_records(txn: Transaction) -> list[str]:
    """What SQL has written and no host or module can have."""
    problems = []
    weights = "SELECT id, weight FROM RouteData WHERE NOT weight BETWEEN 0 AND ? ORDER BY id LIMIT 20"
    for row_id, found in txn.all(weights, (MAX_WEIGHT,)):
        try:
            weight(found)
        except InvalidRoute as error:
            problems.append(f"RouteData row {row_id}: {error}: {DEFAULT_WEIGHT} is served; correct it")
    for (found,) in txn.all("SELECT DISTINCT zone FROM RouteData WHERE zone <> '' ORDER BY zone LIMIT 1000"):
        try:
            zone(found)
        except InvalidRoute as error:
            problems.append(f"RouteData: {error}: none is served; correct it")
    for modid, cmdid, text in txn.all("SELECT modid, cmdid, settings FROM ModuleSettings ORDER BY modid, cmdid"):
        _settings, wrong = from_json(str(text))
        problems += [f"ModuleSettings of ({modid}, {cmdid}): {line}: correct it" for line in wrong]
    return problems[:60]


def _columns(statement: str) -> list[str]:
    """The column names in a CREATE TABLE statement of the schema files."""
    names = re.findall(r"^ {4}(\w+) (?:INT|BIGINT|CHAR|VARCHAR|MEDIUMTEXT|TEXT|INTEGER)\b", statement, re.M)
    return [name for name in names if name not in ("PRIMARY", "UNIQUE", "KEY")]


def _unusable_routes(txn: Transaction) -> list[str]:
    problems = []
    bad = txn.all(
        "SELECT id, modid, cmdid, serverip, serverport FROM RouteData WHERE serverport < 1 OR serverport > ? "
        "OR serverip < 1 OR serverip > 4294967295 OR modid > ? OR cmdid > ? OR modid < 0 OR cmdid < 0 "
        "OR (modid = 0 AND cmdid = 0) ORDER BY id LIMIT 20",
        (MAX_PORT, MAX_ID, MAX_ID),
    )
    for row_id, modid, cmdid, ip, port in bad:
        problems.append(
            f"RouteData row {row_id}: module ({modid}, {cmdid}), ip {ip}, port {port} cannot be a route and is not "
            "served: delete or correct it"
        )
    full = "SELECT modid, cmdid, COUNT(*) FROM RouteData GROUP BY modid, cmdid HAVING COUNT(*) > ? LIMIT 20"
    for modid, cmdid, count in txn.all(full, (MAX_HOSTS,)):
        problems.append(f"module ({modid}, {cmdid}) has {count} hosts, over {MAX_HOSTS}: the excess is not served")
    return problems
