"""What a process costs, and which processes it has started."""

import os
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from bench.processes.process_tree import cpu_seconds, memory_mb, process_tree, tree_cpu_seconds, tree_memory_mb


class ProcessTreeTests(SynchronousTestCase):
    def setUp(self) -> None:
        program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(); input()'])"
        self.child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(self.child.communicate)
        assert self.child.stdout is not None
        self.child.stdout.readline()  # the grandchild runs

    def test_holds_children_and_their_children(self) -> None:
        family = process_tree(self.child.pid)
        self.assertEqual(len(family), 2)
        self.assertLess(family, process_tree(os.getpid()))

    def test_cpu_time_and_memory_are_those_of_all(self) -> None:
        family = process_tree(self.child.pid)
        self.assertEqual(tree_cpu_seconds(self.child.pid), sum(map(cpu_seconds, family)))
        self.assertEqual(tree_memory_mb(self.child.pid)[0], max(memory_mb(pid)[0] for pid in family))
