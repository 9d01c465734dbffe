"""The thread that looks at the servers: it looks until it is stopped, and then ends by itself."""

import threading
from threading import Event

from twisted.trial.unittest import SynchronousTestCase

from lars.db.server_watch import THREAD_NAME, ServerWatch

DEADLINE = 10


class ServerWatchTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.looked, self.ended = Event(), Event()

    def test_looks_until_it_is_stopped_and_then_ends(self) -> None:
        watch = ServerWatch(self.looked.set, self.ended.set, interval=0.0)
        watch.start()
        self.addCleanup(watch.stop)
        self.assertTrue(self.looked.wait(DEADLINE))
        self.assertFalse(self.ended.is_set())
        watch.stop()
        self.assertTrue(self.ended.wait(DEADLINE))
        [thread] = [each for each in threading.enumerate() if each.name == THREAD_NAME] or [threading.Thread()]
        self.assertTrue(thread.daemon or not thread.is_alive(), "it delays no end of the process")

    def test_one_that_is_stopped_at_once_does_not_look(self) -> None:
        watch = ServerWatch(self.looked.set, self.ended.set, interval=60.0)
        watch.start()
        watch.stop()
        self.assertTrue(self.ended.wait(DEADLINE))
        self.assertFalse(self.looked.is_set())
