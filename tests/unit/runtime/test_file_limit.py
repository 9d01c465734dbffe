"""What of the limit of open files is left to connections."""

import os

from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.file_limit import RESERVE, lowest_free_file, usable_files


class FileLimitTests(SynchronousTestCase):
    def test_a_reserve_is_kept_and_at_most_a_quarter(self) -> None:
        self.assertEqual(usable_files(20_000), 20_000 - RESERVE)
        self.assertEqual(usable_files(100), 75)

    def test_lowest_free_file_is_what_the_next_one_gets(self) -> None:
        free = lowest_free_file(1)
        opened = os.open("/dev/null", os.O_RDONLY)
        self.addCleanup(os.close, opened)
        self.assertEqual(opened, free)
        self.assertGreater(lowest_free_file(1), free)
