"""The log file: appended to whatever others do to it, and opened anew where it was moved away."""

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.log_file import RotatedLogFile


class RotatedLogFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.file: Any = RotatedLogFile(self.path.name, str(self.path.parent), rotateLength=10)
        self.addCleanup(self.file.close)

    def test_truncated_file_has_no_hole_and_counts_anew(self) -> None:
        self.file.write("twelve bytes")
        with self.path.open("r+b") as other:
            other.truncate(0)
        self.file.write("new")
        self.assertEqual((self.path.read_text(), self.file.listLogs()), ("new", []))

    def test_it_starts_a_new_file_by_itself(self) -> None:
        self.file.write("twelve bytes")
        self.file.write("new")
        self.assertEqual((self.path.read_text(), self.file.listLogs()), ("new", [1]))

    def test_moved_file_is_opened_anew_with_its_mode_and_never_moved_by_itself_again(self) -> None:
        self.path.chmod(0o640)
        self.file.write("before")
        self.path.rename(f"{self.path}.old")
        self.file.moved()
        self.file.write("twelve bytes")
        self.file.write("after")
        self.assertEqual((self.path.read_text(), self.file.listLogs()), ("twelve bytesafter", []))
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)

    def test_file_that_somebody_made_in_its_place_keeps_its_mode(self) -> None:
        self.path.rename(f"{self.path}.old")
        self.path.touch(0o600)
        self.file.moved()
        self.file.write("after")
        self.assertEqual((self.path.read_text(), self.path.stat().st_mode & 0o777), ("after", 0o600))
