"""The snapshot: saves what has changed, at most every few seconds, and a fault of its file is one line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from lars.dns.packed_route import pack
from lars.dns.table import RouteTable
from lars.dns.table_file import load_table
from lars.dns.table_snapshot import INTERVAL, TableSnapshot
from lars.route import ModuleId
from lars.runtime.reactor import IReactor

M, N = ModuleId(1, 1), ModuleId(1, 2)
PACKED, OTHER = (pack([(ip, 80, 100, "")]) for ip in (1, 2))


class AtOnce:
    """A thread pool that works at once, in the caller's thread."""

    def callInThreadWithCallback(self, done: Callable[..., None], work: Callable[..., Any], *args: Any) -> None:
        try:
            result = work(*args)
        except Exception as error:
            done(False, error)
        else:
            done(True, result)


class OneThread(Clock):
    """A reactor's clock, and its thread pool without threads."""

    def getThreadPool(self) -> AtOnce:
        return AtOnce()

    def callFromThread(self, call: Callable[..., Any], *args: Any) -> None:
        call(*args)


class TableSnapshotTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.reactor = OneThread()
        self.table = RouteTable(fresh_ms=1000)
        self.table.version = 5
        self.table.put(M, PACKED)

    def snapshot(self, path: Path | None = None) -> TableSnapshot:
        return TableSnapshot(str(path or self.path), self.table, cast(IReactor, self.reactor))

    def stop(self, snapshot: TableSnapshot) -> None:
        self.successResultOf(Deferred.fromCoroutine(snapshot.stop()))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def lines(self, action: Callable[[], object]) -> list[str]:
        with capturedLogs() as events:
            action()
        return [event["log_format"].format(**event) for event in events]

    def test_table_is_saved_at_the_start_then_when_it_has_changed_and_at_the_end(self) -> None:
        snapshot = self.snapshot()
        snapshot.start()
        self.assertEqual(load_table(self.path), (5, {M: PACKED}))
        self.path.unlink()
        self.reactor.advance(INTERVAL)
        self.assertFalse(self.path.exists(), "nothing has changed")
        self.table.put(N, OTHER)
        self.reactor.advance(INTERVAL)
        self.assertEqual(load_table(self.path), (5, {M: PACKED, N: OTHER}))
        self.table.put(N, b"")
        self.stop(snapshot)
        self.assertEqual(load_table(self.path), (5, {M: PACKED}))

    def test_what_was_loaded_is_the_table_with_its_version_and_is_not_saved_again(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.snapshot().save()))
        self.table = RouteTable(fresh_ms=1000)
        snapshot = self.snapshot()
        snapshot.load()
        self.assertEqual((self.table.version, dict(self.table.routes)), (5, {M: PACKED}))
        self.path.unlink()
        snapshot.start()
        self.stop(snapshot)
        self.assertFalse(self.path.exists())

    def test_damaged_file_is_one_line_and_no_table(self) -> None:
        self.path.write_bytes(b"damaged")
        self.table = RouteTable(fresh_ms=1000)
        [line] = self.lines(self.snapshot().load)
        self.assertIn(f"saved table {self.path} is not used", line)
        self.assertEqual(len(self.table), 0)

    def test_place_that_cannot_be_written_is_one_line_and_tried_again(self) -> None:
        folder = self.path / "folder"
        snapshot = self.snapshot(folder / "saved")

        def try_six_times() -> None:
            snapshot.start()
            self.reactor.pump([INTERVAL] * 5)

        [line] = self.lines(try_six_times)
        self.assertIn(f"the table cannot be saved as {folder}/saved: No such file or directory", line)
        folder.mkdir(parents=True)
        self.reactor.advance(INTERVAL)
        self.assertEqual(load_table(folder / "saved"), (5, {M: PACKED}))
        self.stop(snapshot)

    def test_a_bug_in_saving_is_told_once_and_neither_ends_the_saving_nor_hinders_the_stop(self) -> None:
        self.table.version = 2**70  # which no file has room for
        snapshot = self.snapshot()
        snapshot.start()
        self.reactor.pump([INTERVAL] * 3)
        self.assertEqual(len(self.flushLoggedErrors()), 1)
        self.table.version = 6
        self.reactor.advance(INTERVAL)
        self.assertEqual(load_table(self.path), (6, {M: PACKED}))
        self.stop(snapshot)

    def test_no_path_is_no_file(self) -> None:
        snapshot = TableSnapshot("", self.table, cast(IReactor, self.reactor))
        snapshot.load()
        snapshot.start()
        self.stop(snapshot)
