"""Who is told of what."""

from twisted.trial.unittest import SynchronousTestCase

from lars.dns.subscriptions import Subscriptions
from lars.route import ModuleId

M, N = ModuleId(1, 1), ModuleId(1, 2)


class SubscriptionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.subscriptions: Subscriptions[str] = Subscriptions()
        for who, module in (("a", M), ("a", N), ("b", M), ("a", M)):
            self.subscriptions.subscribe(who, module)

    def test_each_subscriber_is_told_once(self) -> None:
        self.assertEqual(set(self.subscriptions.subscribers(M)), {"a", "b"})
        self.assertEqual((len(self.subscriptions), self.subscriptions.count("a")), (3, 2))

    def test_dropped_subscriber_is_told_nothing(self) -> None:
        self.subscriptions.drop("a")
        self.subscriptions.drop("a")
        self.assertEqual(set(self.subscriptions.subscribers(M)), {"b"})
        self.assertEqual(set(self.subscriptions.subscribers(N)), set())

    def test_unsubscribe_ends_one_module(self) -> None:
        self.subscriptions.unsubscribe("a", M)
        self.subscriptions.unsubscribe("c", M)
        self.assertEqual(set(self.subscriptions.subscribers(M)), {"b"})
        self.assertEqual(self.subscriptions.count("a"), 1)

    def test_nothing_is_left_of_who_has_gone(self) -> None:
        for who in "ab":
            self.subscriptions.drop(who)
        self.assertEqual((self.subscriptions._watches, self.subscriptions._watched), ({}, {}))
        self.assertEqual(len(self.subscriptions), 0)
