"""Only a young twistd of this folder that runs Lars is waited for."""

import os

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.starting import _age, _runs_lars, is_starting, wait_while_starting


class StartingTests(SynchronousTestCase):
    def test_twistd_with_a_service_of_lars_is_one(self) -> None:
        for command in ("/venv/bin/python\0/venv/bin/twistd\0-n\0lars\0", "twistd\0-n\0--pidfile=\0lars-agent\0"):
            self.assertTrue(_runs_lars(command.encode()), command)
        for command in ("twistd\0-n\0web\0", "lars\0route\0list\0", "vi\0twistd.py\0lars\0", ""):
            self.assertFalse(_runs_lars(command.encode()), command)

    def test_age_is_that_of_the_process(self) -> None:
        with open(f"/proc/{os.getpid()}/stat", "rb") as file:
            age = _age(file.read())
        self.assertTrue(0 <= age < 7200, age)

    def test_nothing_is_waited_for_where_nothing_starts(self) -> None:
        folder = self.mktemp()
        os.mkdir(folder)
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(folder)
        self.assertFalse(is_starting())
        asked: list[int] = []

        def ready() -> bool:
            asked.append(1)
            return False

        wait_while_starting(ready)
        self.assertEqual(len(asked), 1)
