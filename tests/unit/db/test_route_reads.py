"""Digests reveal every edit, and a change of version names its modules."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import Transaction
from lars.db.route_reads import (
    BUCKETS,
    MAX_HINTS,
    UNKNOWN,
    Digests,
    bucket_of,
    change_id_txn,
    differing,
    digests_txn,
    look_txn,
    prune_changes_txn,
    stream_rows,
)
from lars.db.routes import RouteEdit, edit_txn
from lars.route import MAX_ID, HostAddress, ModuleId
from tests.unit.db.memory import database
from tests.unit.dns.plain_rows import Plain, plain_rows

A, B = HostAddress(10, 80), HostAddress(2**32 - 1, 65535)
PAY, MAIL = ModuleId(1, 1), ModuleId(2, 1)

digests = st.dictionaries(st.integers(0, 5), st.tuples(st.integers(1, 3), st.integers(0, 3)))


def write(txn: Transaction, *rows: Plain) -> None:
    """Rows that no version and no RouteChange row shows."""
    txn.execute_many("INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (?, ?, ?, ?)", rows)


def pause() -> None:
    """Nothing to wait for."""


class DifferingTests(SynchronousTestCase):
    def test_buckets_that_changed_came_or_went_differ(self) -> None:
        known: Digests = {1: (1, 5), 2: (1, 5), 3: (1, 5)}
        found: Digests = {1: (1, 5), 2: (1, 6), 4: (1, 5)}
        self.assertEqual(differing(known, found), {2, 3, 4})

    @given(digests)
    def test_same_digests_do_not_differ(self, some: Digests) -> None:
        self.assertEqual(differing(some, dict(some)), set())

    @given(digests, st.integers(0, 5))
    def test_unknown_bucket_always_differs(self, found: Digests, bucket: int) -> None:
        self.assertIn(bucket, differing({**found, bucket: UNKNOWN}, found))


class DigestsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()

    def test_bucket_is_the_one_that_the_database_computes(self) -> None:
        modules = [PAY, MAIL, ModuleId(0, 1), ModuleId(MAX_ID, MAX_ID), ModuleId(33, BUCKETS)]
        write(self.txn, *((*module, *A) for module in modules))
        self.assertEqual(set(digests_txn(self.txn)), {bucket_of(module) for module in modules})

    def test_modules_that_swap_hosts_are_seen(self) -> None:
        other = ModuleId(PAY.modid, PAY.cmdid + BUCKETS)  # in the same bucket
        write(self.txn, (*PAY, *A), (*other, *B))
        before = digests_txn(self.txn)
        self.txn.execute("DELETE FROM RouteData")
        write(self.txn, (*PAY, *B), (*other, *A))
        self.assertEqual(differing(before, digests_txn(self.txn)), {bucket_of(PAY)})

    def test_largest_values_do_not_overflow(self) -> None:
        write(self.txn, (MAX_ID, MAX_ID, *B))
        [(count, total)] = digests_txn(self.txn).values()
        self.assertEqual(count, 1)
        self.assertGreaterEqual(total, 0)

    def test_every_edit_by_sql_alone_is_seen(self) -> None:
        """Of a weight or a zone, of a record with odd values, and of a module's settings."""
        write(self.txn, (*PAY, *A), (*MAIL, *B))
        self.txn.execute("INSERT INTO ModuleSettings VALUES (2, 1, '{}', 1)")
        for sql in (
            "UPDATE RouteData SET weight = 50 WHERE modid = 1",
            "UPDATE RouteData SET weight = -2147483648 WHERE modid = 1",
            "UPDATE RouteData SET weight = 2147483647 WHERE modid = 1",
            "UPDATE RouteData SET zone = 'a' WHERE modid = 1",
            "UPDATE RouteData SET zone = 'b' WHERE modid = 1",
            "UPDATE RouteData SET weight = 100, zone = '' WHERE modid = 1",
            "INSERT INTO ModuleSettings VALUES (1, 1, '{}', 1)",
            "UPDATE ModuleSettings SET settings = '{\"panic\":false}' WHERE modid = 1",
            "DELETE FROM ModuleSettings WHERE modid = 1",
        ):
            before = digests_txn(self.txn)
            self.txn.execute(sql)
            self.assertEqual(differing(before, digests_txn(self.txn)), {bucket_of(PAY)}, sql)

    def test_hosts_that_swap_weights_or_zones_are_seen(self) -> None:
        for n in range(1, 40):
            write(self.txn, (*PAY, n, 80))
        for swapped in (
            "weight = CASE weight WHEN 7 THEN 50 ELSE 7 END",
            "zone = CASE zone WHEN 'a' THEN 'b' ELSE 'a' END",
        ):
            self.txn.execute("UPDATE RouteData SET weight = 7, zone = 'a'")
            self.txn.execute("UPDATE RouteData SET weight = 50, zone = 'b' WHERE serverip = 1")
            for n in range(2, 40):
                before = digests_txn(self.txn)
                self.txn.execute(f"UPDATE RouteData SET {swapped} WHERE serverip IN (?, ?)", (n - 1, n))
                self.assertEqual(differing(before, digests_txn(self.txn)), {bucket_of(PAY)}, n)

    def test_modules_that_swap_weights_are_seen(self) -> None:
        other = ModuleId(PAY.modid, PAY.cmdid + BUCKETS)  # in the same bucket
        write(self.txn, (*PAY, *A), (*other, *A))
        self.txn.execute("UPDATE RouteData SET weight = 50 WHERE cmdid = ?", (PAY.cmdid,))
        before = digests_txn(self.txn)
        self.txn.execute("UPDATE RouteData SET weight = 150 - weight")
        self.assertEqual(differing(before, digests_txn(self.txn)), {bucket_of(PAY)})

    def test_rows_of_some_buckets_are_streamed_in_order(self) -> None:
        write(self.txn, (*MAIL, *A), (*PAY, *B), (*PAY, *A))
        self.assertEqual(list(stream_rows(self.txn, None, pause)), plain_rows([(*PAY, *A), (*PAY, *B), (*MAIL, *A)]))
        self.assertEqual(list(stream_rows(self.txn, {bucket_of(MAIL)}, pause)), plain_rows([(*MAIL, *A)]))


class LookTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.txn = database()
        self.edit(RouteEdit(PAY, add=frozenset([A])))

    def edit(self, *edits: RouteEdit) -> None:
        edit_txn(self.txn, "ann", 100.0, edits)

    def test_same_version_is_no_change(self) -> None:
        self.assertIsNone(look_txn(self.txn, 100, 0))

    def test_changed_modules_come_with_all_their_rows(self) -> None:
        newest = change_id_txn(self.txn)
        self.edit(RouteEdit(MAIL, add=frozenset([B])), RouteEdit(PAY, add=frozenset([B])))
        look = look_txn(self.txn, 100, newest)
        assert look is not None
        self.assertEqual((look.version, look.change_id, look.modules), (101, newest + 2, {PAY, MAIL}))
        self.assertEqual(look.rows, plain_rows([(*PAY, *A), (*PAY, *B), (*MAIL, *B)]))

    def test_recreated_table_is_read_from_its_start(self) -> None:
        look = look_txn(self.txn, 0, 1_000_000)
        assert look is not None
        self.assertEqual((look.modules, look.rows), ({PAY}, plain_rows([(*PAY, *A)])))

    def test_too_many_modules_are_left_to_the_digests(self) -> None:
        changes = [(n, 1, 101) for n in range(1, MAX_HINTS + 2)]
        self.txn.execute_many("INSERT INTO RouteChange (modid, cmdid, version) VALUES (?, ?, ?)", changes)
        look = look_txn(self.txn, 0, 0)
        assert look is not None
        self.assertEqual((look.modules, look.rows, look.change_id), (frozenset(), [], change_id_txn(self.txn)))

    def test_old_changes_are_pruned_up_to_an_id(self) -> None:
        self.edit(RouteEdit(MAIL, add=frozenset([B])))
        newest = change_id_txn(self.txn)
        self.assertEqual(prune_changes_txn(self.txn, newest - 1, 200), 1)
        self.assertEqual(prune_changes_txn(self.txn, newest, 101), 0)
        self.assertEqual(prune_changes_txn(self.txn, newest, 102), 1)
