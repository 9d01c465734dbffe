"""Words that follow a number."""

from twisted.trial.unittest import SynchronousTestCase

from lars.wording import counted


class CountedTests(SynchronousTestCase):
    def test_one_is_singular_and_all_else_plural(self) -> None:
        self.assertEqual([counted(n, "host") for n in (0, 1, 2, 1234)], ["0 hosts", "1 host", "2 hosts", "1,234 hosts"])

    def test_plural_may_be_given(self) -> None:
        self.assertEqual([counted(n, "process", "processes") for n in (1, 3)], ["1 process", "3 processes"])
