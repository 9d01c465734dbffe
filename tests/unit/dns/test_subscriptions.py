"""Who is told of what."""

from twisted.trial.unittest import SynchronousTestCase

from lars.dns.subscriptions import SubscriptionLimits, Subscriptions
from lars.route import ModuleId

M, N = ModuleId(1, 1), ModuleId(1, 2)


class SubscriptionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.subscriptions: Subscriptions[str] = Subscriptions({})
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


class LimitTests(SynchronousTestCase):
    """Whoever asks for more than the limits is not subscribed, and takes nothing from others."""

    def setUp(self) -> None:
        self.known: dict[ModuleId, bytes] = {M: b"", N: b""}

    def subscribed(self, limits: SubscriptionLimits, *pairs: tuple[str, ModuleId]) -> list[bool | None]:
        self.subscriptions: Subscriptions[str] = Subscriptions(self.known, limits)
        return [self.subscriptions.subscribe(who, module) for who, module in pairs]

    def test_one_subscriber_has_so_many_modules(self) -> None:
        limits = SubscriptionLimits(of_subscriber=1)
        self.assertEqual(
            self.subscribed(limits, ("a", M), ("a", N), ("a", M), ("b", N)),
            [True, None, False, True],
        )
        self.subscriptions.unsubscribe("a", M)
        self.assertTrue(self.subscriptions.subscribe("a", N))

    def test_all_together_have_so_many_pairs(self) -> None:
        self.assertEqual(
            self.subscribed(SubscriptionLimits(total=2), ("a", M), ("b", M), ("c", M), ("a", M)),
            [True, True, None, False],
        )

    def test_modules_without_hosts_are_watched_up_to_a_number_and_those_with_hosts_always(self) -> None:
        strange = [ModuleId(9, number) for number in range(4)]
        limits = SubscriptionLimits(unknown=1)
        self.assertEqual(
            self.subscribed(limits, *(("a", module) for module in strange), ("b", strange[0]), ("b", M), ("b", N)),
            [True, True, True, None, True, True, True],
        )

    def test_what_is_refused_leaves_nothing(self) -> None:
        self.subscribed(SubscriptionLimits(of_subscriber=1), ("a", M), ("a", N))
        self.assertEqual((len(self.subscriptions), self.subscriptions.count("a")), (1, 1))
        self.assertEqual(set(self.subscriptions.subscribers(N)), set())
