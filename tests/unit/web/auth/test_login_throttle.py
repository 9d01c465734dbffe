"""How often one may try to sign in."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.auth.login_throttle import CAPACITY, FREE, LONGEST_WAIT, LoginThrottle


class LoginThrottleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.throttle = LoginThrottle()

    def fails(self, key: str, times: int) -> None:
        for _ in range(times):
            self.throttle.failed(key, 0)

    def test_five_are_free_then_each_doubles_the_wait(self) -> None:
        for _ in range(FREE):
            self.assertEqual(self.throttle.wait("a", 0), 0)
            self.throttle.failed("a", 0)
        self.assertEqual(self.throttle.wait("a", 0), 2)
        self.assertEqual(self.throttle.wait("a", 2), 0)
        self.throttle.failed("a", 2)
        self.assertEqual(self.throttle.wait("a", 2), 4)
        self.assertEqual(self.throttle.wait("b", 2), 0)
        self.throttle.succeeded("a")
        self.assertEqual(self.throttle.wait("a", 2), 0)

    def test_wait_has_an_end(self) -> None:
        self.fails("a", 100)
        self.assertEqual(self.throttle.wait("a", 0), LONGEST_WAIT)

    def test_old_failures_no_longer_count(self) -> None:
        self.fails("a", 100)
        later = 2 * LONGEST_WAIT + 1
        self.throttle.failed("a", later)
        self.assertEqual(self.throttle.wait("a", later), 0)

    def test_oldest_keys_are_forgotten_first(self) -> None:
        self.fails("a", FREE)
        for n in range(CAPACITY):
            self.throttle.failed(str(n), 0)
        self.assertEqual((self.throttle.wait("a", 0), len(self.throttle._failed)), (0, CAPACITY))
