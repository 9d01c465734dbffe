"""One holder at a time."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.file_lock import FileLock


class FileLockTests(SynchronousTestCase):
    def test_second_gets_the_lock_once_the_first_has_released_it(self) -> None:
        path = Path(self.mktemp())
        first, second = FileLock(path), FileLock(path)
        self.addCleanup(second.release)
        self.assertTrue(first.take())
        self.assertTrue(first.take())
        self.assertFalse(second.take())
        first.release()
        first.release()
        self.assertTrue(second.take())
        self.assertFalse(first.take())

    def test_folder_that_is_missing_is_an_error(self) -> None:
        self.assertRaises(FileNotFoundError, FileLock(Path(self.mktemp(), "lock")).take)
