"""The CPU time that `lars bench` reads from /proc."""

import os
import time

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.bench import cpu_seconds


class CpuTimeTests(SynchronousTestCase):
    def test_cpu_time_is_that_of_the_process(self) -> None:
        self.assertLess(abs(cpu_seconds(os.getpid()) - time.process_time()), 0.5)

    def test_ended_process_has_used_none(self) -> None:
        self.assertEqual(cpu_seconds(2**30), 0.0)
