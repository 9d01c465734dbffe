"""The MySQL engine: its SQL, and the meaning of its errors. The integration tests run it on a server."""

from collections.abc import Sequence

import pymysql
from pymysql.constants import CR, ER
from twisted.trial.unittest import SynchronousTestCase

from lars.db.mysql import MysqlEngine
from lars.db.url import MysqlUrl, Server


class Cursor:
    """Keeps the statements that it is given."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, sql: str) -> None:
        self.statements.append(sql)


class MysqlCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.engine = MysqlEngine(MysqlUrl("db", 3306, "ann", "hunter2", "lars"))


class StatementTests(MysqlCase):
    def test_parameter_marks_are_the_drivers_and_percent_signs_are_kept(self) -> None:
        self.assertEqual(self.engine.placeholders("SELECT a % 7 WHERE b = ?"), "SELECT a %% 7 WHERE b = %s")

    def test_upsert_overwrites_and_adds_up(self) -> None:
        self.assertEqual(
            self.engine.upsert("T", ["k"], ["r"], ["a"]),
            "INSERT INTO T (k, r, a) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE r = VALUES(r), a = a + VALUES(a)",
        )

    def test_insert_ignore_still_refuses_bad_values(self) -> None:
        self.assertEqual(
            self.engine.insert_ignore("T", ["k", "r"]),
            "INSERT INTO T (k, r) VALUES (?, ?) ON DUPLICATE KEY UPDATE k = k",
        )

    def test_delete_some_has_a_limit(self) -> None:
        self.assertEqual(self.engine.delete_some("T", "ts < ?", 5), "DELETE FROM T WHERE ts < ? LIMIT 5")

    def inserted(self, rows: Sequence[Sequence[int]]) -> list[str]:
        cursor = Cursor()
        self.engine.execute_numbers(cursor, "INSERT INTO T (a, b) VALUES (?, ?) ON DUPLICATE KEY UPDATE a = a", rows)
        return cursor.statements

    def test_numbers_go_into_one_statement(self) -> None:
        self.assertEqual(
            self.inserted([(1, -2), [3, True]]),
            ["INSERT INTO T (a, b) VALUES (1,-2),(3,1) ON DUPLICATE KEY UPDATE a = a"],
        )

    def test_many_numbers_go_into_statements_of_a_thousand_rows(self) -> None:
        statements = self.inserted([(n, n) for n in range(2001)])
        self.assertEqual([statement.count("(") - 1 for statement in statements], [1000, 1000, 1])

    def test_texts_are_refused_among_numbers(self) -> None:
        self.assertRaises(TypeError, self.inserted, [("1); DROP TABLE T; --", 1)])


class ErrorTests(MysqlCase):
    def test_lost_connections_and_locks_may_pass(self) -> None:
        for code in (CR.CR_SERVER_LOST, CR.CR_CONN_HOST_ERROR, ER.LOCK_DEADLOCK, ER.LOCK_WAIT_TIMEOUT, ER.DISK_FULL):
            self.assertTrue(self.engine.is_passing(pymysql.err.OperationalError(code, "message")), code)
        self.assertTrue(self.engine.is_passing(pymysql.err.InterfaceError(0, "")))

    def test_lost_connection_is_replaced_unless_its_server_was_only_late(self) -> None:
        lost = pymysql.err.OperationalError(CR.CR_SERVER_LOST, "message")
        self.assertTrue(self.engine.is_lost(lost))
        lost.__context__ = TimeoutError()
        self.assertFalse(self.engine.is_lost(lost))
        self.assertFalse(self.engine.is_lost(pymysql.err.OperationalError(ER.LOCK_DEADLOCK, "message")))

    def test_server_that_takes_no_transactions_is_left_where_there_is_another(self) -> None:
        several = MysqlEngine(MysqlUrl("db1", 3306, "ann", "", "lars", others=(Server("db2"),)))
        for code in (ER.UNKNOWN_COM_ERROR, ER.OPTION_PREVENTS_STATEMENT, ER.SERVER_SHUTDOWN, ER.ERROR_DURING_COMMIT):
            refusal = pymysql.err.OperationalError(code, "message")
            self.assertTrue(several.is_refusal(refusal), code)
            self.assertTrue(several.is_undone(refusal, at_commit=False), code)
            self.assertFalse(self.engine.is_refusal(refusal), code)
            self.assertTrue(several.is_passing(refusal), code)

    def test_outcome_of_a_commit_is_unknown_unless_the_server_refused_or_undid_it(self) -> None:
        for code, is_undone in (
            (ER.LOCK_DEADLOCK, True),
            (ER.UNKNOWN_COM_ERROR, True),
            (ER.ERROR_DURING_COMMIT, False),
            (ER.SERVER_SHUTDOWN, False),
            (CR.CR_SERVER_LOST, False),
        ):
            error = pymysql.err.OperationalError(code, "message")
            self.assertEqual(self.engine.is_undone(error, at_commit=True), is_undone, code)

    def test_schema_made_meanwhile_is_recognized(self) -> None:
        for code in (ER.TABLE_EXISTS_ERROR, ER.DUP_FIELDNAME, ER.DUP_KEYNAME):
            self.assertTrue(self.engine.is_made_already(pymysql.err.OperationalError(code, "message")), code)
        self.assertFalse(self.engine.is_made_already(pymysql.err.OperationalError()))

    def test_limit_of_a_user_may_pass(self) -> None:
        self.assertTrue(self.engine.is_passing(pymysql.err.OperationalError(1226, "message")))

    def test_other_errors_do_not_pass(self) -> None:
        for error in (
            pymysql.err.OperationalError(ER.ACCESS_DENIED_ERROR, "message"),
            pymysql.err.ProgrammingError(ER.PARSE_ERROR, "message"),
            pymysql.err.OperationalError(),
            KeyError(CR.CR_SERVER_LOST),
        ):
            self.assertFalse(self.engine.is_passing(error), error)

    def test_missing_tables_columns_and_databases_are_recognized(self) -> None:
        for code in (ER.NO_SUCH_TABLE, ER.BAD_FIELD_ERROR, ER.BAD_DB_ERROR):
            self.assertTrue(self.engine.is_missing_table(pymysql.err.ProgrammingError(code, "message")), code)
        self.assertFalse(self.engine.is_missing_table(pymysql.err.ProgrammingError(ER.PARSE_ERROR, "message")))

    def test_refused_values_are_a_bad_row(self) -> None:
        for error in (
            pymysql.err.DataError(ER.WARN_DATA_OUT_OF_RANGE, "message"),
            pymysql.err.IntegrityError(ER.DUP_ENTRY, "message"),
            pymysql.err.OperationalError(3819, "a CHECK constraint"),
        ):
            self.assertTrue(self.engine.is_bad_row(error), error)
        self.assertFalse(self.engine.is_bad_row(pymysql.err.OperationalError(ER.LOCK_DEADLOCK, "message")))

    def test_changed_table_definition_makes_the_snapshot_too_old(self) -> None:
        changed = pymysql.err.OperationalError(ER.TABLE_DEF_CHANGED, "message")
        self.assertTrue(self.engine.is_snapshot_too_old(changed))
        self.assertFalse(self.engine.is_snapshot_too_old(pymysql.err.OperationalError()))

    def test_reason_is_the_message_in_one_line(self) -> None:
        for error, reason in (
            (pymysql.err.OperationalError(1, "line\n  break"), "line break"),
            (pymysql.err.OperationalError(), "OperationalError"),
        ):
            self.assertEqual(self.engine.reason(error), reason)

    def test_its_address_does_not_show_the_password(self) -> None:
        self.assertEqual(self.engine.where, "mysql://ann@db:3306/lars")
