"""The schema in memory: created once, upgraded in steps that can run again, and checked."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Transaction
from lars.db.hosts import COLUMNS, records_of_txn
from lars.db.mysql import MysqlEngine
from lars.db.schema import (
    ACCESS_COLUMNS,
    ALARM_COLUMNS,
    DRAIN_INDEX,
    INDEXES,
    STEPS,
    check_txn,
    init_txn,
    schema_statements,
)
from lars.db.url import MysqlUrl
from lars.host_record import PLAIN
from lars.route import HostAddress, ModuleId
from tests.unit.db.memory import database, empty_database

CPP_ROUTES = "CREATE TABLE RouteData (id INTEGER PRIMARY KEY, modid INT, cmdid INT, serverip INT, serverport INT)"


def table_names(statements: list[str]) -> list[str]:
    beginning = "CREATE TABLE IF NOT EXISTS "
    return [s.removeprefix(beginning).split()[0] for s in statements if s.startswith(beginning)]


class StatementsTests(SynchronousTestCase):
    def test_both_engines_have_the_same_tables(self) -> None:
        mysql = MysqlEngine(MysqlUrl("db", 3306, "ann", "", "lars"))
        tables = table_names(schema_statements(empty_database().engine))
        self.assertIn("RouteData", tables)
        self.assertEqual(sorted(tables), sorted(table_names(schema_statements(mysql))))

    def test_statements_have_no_comments(self) -> None:
        for statement in schema_statements(empty_database().engine):
            self.assertNotIn("--", statement)


class InitTests(SynchronousTestCase):
    def columns(self, txn: Transaction, table: str) -> list[str]:
        return txn.engine.column_names(txn, table)

    def test_every_table_is_created_and_named(self) -> None:
        txn = empty_database()
        tables = table_names(schema_statements(txn.engine))
        self.assertEqual(init_txn(txn), [f"created table {table}" for table in tables])
        self.assertEqual(txn.one("SELECT version FROM SchemaVersion"), (len(STEPS),))

    def test_second_init_does_nothing(self) -> None:
        self.assertEqual(init_txn(database()), [])

    def test_every_step_finds_nothing_to_do_in_a_new_schema(self) -> None:
        txn = database()
        for step in STEPS:
            self.assertEqual(step(txn), [], step)

    def test_duplicates_are_moved_and_the_oldest_row_stays(self) -> None:
        txn = empty_database()
        txn.execute(CPP_ROUTES)
        txn.execute("INSERT INTO RouteData VALUES (1, 1, 1, 5, 80), (2, 1, 1, 6, 80), (3, 1, 1, 5, 80)")
        done = init_txn(txn)
        self.assertIn("added the unique key of RouteData", done)
        self.assertIn("moved 1 duplicate row of RouteData to RouteDuplicate", done)
        self.assertEqual(txn.all("SELECT id FROM RouteData ORDER BY id"), [(1,), (2,)])
        self.assertEqual(txn.all("SELECT id FROM RouteDuplicate"), [(3,)])

    def test_tables_without_duplicates_get_the_key_alone(self) -> None:
        txn = empty_database()
        txn.execute(CPP_ROUTES)
        done = init_txn(txn)
        self.assertIn("added the unique key of RouteData", done)
        self.assertEqual([line for line in done if "duplicate" in line], [])

    def test_missing_indexes_are_added(self) -> None:
        txn = database()
        for _table, index, _columns in INDEXES:
            txn.execute(f"DROP INDEX {index}")
        self.assertEqual(init_txn(txn), [f"added an index of {table}" for table, _index, _columns in INDEXES])

    def test_audit_of_routes_alone_gets_its_column(self) -> None:
        txn = database()
        txn.execute("ALTER TABLE RouteAudit DROP COLUMN what")
        self.assertEqual(init_txn(txn), ["added RouteAudit.what"])
        self.assertIn("what", self.columns(txn, "RouteAudit"))

    def test_alarms_and_callers_get_their_later_columns_and_keep_their_rows(self) -> None:
        txn = database()
        txn.execute("INSERT INTO CallerSeen (caller, ts) VALUES (1, 2)")
        for table, column, _definition in ALARM_COLUMNS:
            txn.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        txn.execute("DROP TABLE AlarmRule")
        added = [f"added {table}.{column}" for table, column, _definition in ALARM_COLUMNS]
        self.assertEqual(init_txn(txn), [*added, "created table AlarmRule"])
        self.assertEqual(txn.all("SELECT caller, ts, skew FROM CallerSeen"), [(1, 2, 0)])

    def test_accounts_get_their_later_columns_and_keep_their_rows(self) -> None:
        txn = database()
        for table, column, _definition in ACCESS_COLUMNS:
            txn.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        txn.execute("INSERT INTO User (name, password, role, created_at) VALUES ('ada', 'hash', 'admin', 1)")
        txn.execute("INSERT INTO Session (digest, user_name, created_at, expires_at) VALUES ('d', 'ada', 1, 2)")
        added = [f"added {table}.{column}" for table, column, _definition in ACCESS_COLUMNS]
        self.assertEqual(init_txn(txn), added)
        self.assertEqual(txn.all("SELECT name, ranges FROM User"), [("ada", "")])
        self.assertEqual(txn.all("SELECT digest, seen_at, address, browser FROM Session"), [("d", 0, "", "")])

    def test_routes_get_what_an_operator_keeps_with_a_host(self) -> None:
        txn = empty_database()
        txn.execute(CPP_ROUTES)
        txn.execute("INSERT INTO RouteData VALUES (1, 1, 1, 5, 80)")
        lacking = ", ".join(COLUMNS)
        self.assertIn(f"added {lacking} to RouteData", init_txn(txn))
        self.assertEqual(self.columns(txn, "RouteData")[5:], list(COLUMNS))
        self.assertEqual(records_of_txn(txn, [ModuleId(1, 1)]), {ModuleId(1, 1): {HostAddress(5, 80): PLAIN}})

    def test_the_index_of_drains_is_added_where_it_is_missing_and_finds_them(self) -> None:
        txn = database()
        txn.execute(f"DROP INDEX {DRAIN_INDEX}")
        self.assertEqual(init_txn(txn), ["added an index of RouteData for drains"])
        query = (
            "SELECT modid FROM RouteData WHERE drained_until > 0 AND drained_until <= 9 AND drained_weight IS NOT NULL"
        )
        self.assertIn(DRAIN_INDEX, str(txn.all(f"EXPLAIN QUERY PLAN {query} ORDER BY modid, cmdid LIMIT 10000")))

    def test_an_interrupted_step_is_continued(self) -> None:
        txn = database()
        txn.execute("ALTER TABLE RouteData DROP COLUMN note")
        txn.execute("ALTER TABLE RouteData DROP COLUMN drain_reason")
        self.assertEqual(init_txn(txn), ["added note, drain_reason to RouteData"])

    def test_version_row_gets_the_highest_version(self) -> None:
        txn = database()
        txn.execute("DELETE FROM RouteVersion")
        txn.execute("INSERT INTO RouteVersion (id, version) VALUES (7, 99)")
        init_txn(txn)
        self.assertEqual(txn.one("SELECT version FROM RouteVersion WHERE id = 1"), (99,))


class CheckTests(SynchronousTestCase):
    def test_new_schema_has_no_problems(self) -> None:
        checked = check_txn(database())
        self.assertEqual((checked.version, checked.routes, checked.modules, checked.problems), (0, 0, 0, []))

    def test_missing_column_is_named(self) -> None:
        txn = database()
        txn.execute("ALTER TABLE RouteAudit DROP COLUMN actor")
        self.assertEqual(check_txn(txn).problems, ["table RouteAudit lacks actor: run `lars db init`"])

    def test_missing_key_is_named(self) -> None:
        txn = database()
        txn.execute("DROP INDEX route")
        self.assertEqual(check_txn(txn).problems, ["RouteData has no unique key: run `lars db init`"])

    def test_routes_and_modules_are_counted(self) -> None:
        txn = database()
        insert = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)"
        txn.execute_many(insert, [(1, 1, 5, 80), (1, 1, 6, 80), (1, 2, 5, 80)])
        checked = check_txn(txn)
        self.assertEqual((checked.routes, checked.modules, checked.problems), (3, 2, []))

    def test_records_that_sql_wrote_and_no_host_can_have_are_named(self) -> None:
        txn = database()
        insert = (
            "INSERT INTO RouteData (id, modid, cmdid, serverip, serverport, weight, zone) VALUES (?, 1, 1, ?, 80, ?, ?)"
        )
        txn.execute_many(insert, [(1, 5, 1001, ""), (2, 6, 0, "eu-1.b"), (3, 7, 100, "East"), (4, 8, -1, "b")])
        txn.execute("INSERT INTO ModuleSettings VALUES (1, 1, ?, 1), (1, 2, ?, 1)", ('{"panic":false}', '{"panick":1}'))
        self.assertEqual(
            check_txn(txn).problems,
            [
                "RouteData row 1: weight '1001' is not a number from 0 to 1000: 100 is served; correct it",
                "RouteData row 4: weight '-1' is not a number from 0 to 1000: 100 is served; correct it",
                (
                    "RouteData: zone 'East' is not a zone: use up to 64 of a-z, 0-9, dot and hyphen: none is served; "
                    "correct it"
                ),
                "ModuleSettings of (1, 2): 'panick' is not a setting of a module; did you mean panic?: correct it",
            ],
        )
