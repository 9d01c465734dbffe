"""The pid file: the service's own, none in the foreground, and none that outlived its process."""

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.settings.pid_file import pid_file, remove_stale


class PidFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def is_kept(self, text: str, plugin: str = "lars-dns") -> bool:
        self.path.write_text(text)
        remove_stale(str(self.path), plugin)
        return self.path.exists()

    def test_each_plugin_has_its_own_and_none_in_the_foreground(self) -> None:
        self.assertEqual(pid_file("twistd.pid", "lars-dns", in_foreground=False), "lars-dns.pid")
        self.assertEqual(pid_file("twistd.pid", "lars-dns", in_foreground=True), "")

    def test_given_one_is_used(self) -> None:
        for given in ("/run/dns.pid", ""):
            self.assertEqual(pid_file(given, "lars-dns", in_foreground=True), given)

    def test_file_with_the_pid_of_this_process_is_stale(self) -> None:
        self.assertFalse(self.is_kept(str(os.getpid()), sys.argv[0]))

    def test_file_with_the_pid_of_another_program_is_stale(self) -> None:
        self.assertFalse(self.is_kept(str(os.getppid())))

    def test_file_of_a_process_of_this_service_is_kept(self) -> None:
        program = Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode().split("\0")[0]
        self.assertTrue(self.is_kept(str(os.getppid()), program))

    def test_what_is_no_pid_of_a_process_is_left_to_twistd(self) -> None:
        for text in ("", "x", "-1", str(1 << 22)):
            self.assertTrue(self.is_kept(text))

    def test_no_file_is_fine(self) -> None:
        for path in (str(self.path), ""):
            remove_stale(path, "lars-dns")
        self.assertFalse(self.path.exists())
