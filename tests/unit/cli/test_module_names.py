"""Modules named by one or two words."""

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.module_names import JOINED, Found, NoSuchName, Word, find_module
from lars.db.names import Names

NAMES = Names({1: "pay", 2: "pay.v2", 3: "shop", 4: "shop", 5: "7"}, {1: "orders", 2: "orders", 3: "refunds"})


def found(modid: Word, cmdid: Word | None = JOINED, has_hosts: Sequence[Found] = (), needs_cmdid: bool = True) -> Found:
    """The module of some words, where only those modules have hosts."""
    return find_module(modid, cmdid, NAMES, lambda some: [one for one in some if one in has_hosts], needs_cmdid)


class FindModuleTests(SynchronousTestCase):
    def test_one_word_or_two_name_a_module(self) -> None:
        for words in (("pay.refunds", JOINED), ("pay", "refunds"), (1, "refunds"), ("pay", 3), ("1.3", JOINED)):
            self.assertEqual(found(*words), (1, 3), words)

    def test_name_may_have_dots(self) -> None:
        self.assertEqual(found("pay.v2.refunds"), (2, 3))
        self.assertEqual(found("pay.v2", needs_cmdid=False), (2, None))

    def test_digits_are_a_name_before_they_are_a_number(self) -> None:
        self.assertEqual(found("7.refunds"), (5, 3))
        self.assertEqual(found("9.refunds"), (9, 3))

    def test_of_several_the_one_that_has_hosts_is_meant(self) -> None:
        self.assertEqual(found("pay.orders", has_hosts=[(1, 2)]), (1, 2))
        self.assertEqual(found("shop", None, has_hosts=[(4, None)], needs_cmdid=False), (4, None))

    def test_several_with_hosts_or_none_with_hosts_are_listed(self) -> None:
        for has_hosts in ([(1, 1), (1, 2)], []):
            with self.assertRaisesRegex(NoSuchName, r"'pay.orders' names 2 modules: .*: \(1, 1\), \(1, 2\)"):
                found("pay.orders", has_hosts=has_hosts)

    def test_modid_alone_is_no_module_where_one_is_needed(self) -> None:
        self.assertRaises(NoSuchName, found, "pay.v2")

    def test_error_says_which_word_is_wrong_and_what_may_be_meant(self) -> None:
        for word, text in (
            ("pya.orders", "no modid is named 'pya': did you mean 'pay'"),
            ("pay.order", "no cmdid is named 'order': did you mean 'orders'"),
            ("x.y", "no modid is named 'x': `lars find`"),
        ):
            with self.assertRaisesRegex(NoSuchName, text):
                found(word)
