"""The reasons of agents in the language of the page."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.language import translations
from lars.web.reason_texts import reason_text


class ReasonTests(SynchronousTestCase):
    def test_failed_calls_are_said_in_the_language_of_the_page(self) -> None:
        reason = reason_text("3 of 4 recent calls failed")
        self.assertEqual(reason.to(translations("en")), "3 of 4 recent calls failed")
        self.assertEqual(reason.to(translations("zh")), "最近 4 次调用中 3 次失败")

    def test_what_its_checks_say_follows(self) -> None:
        reason = reason_text("3 of 4 recent calls failed; tcp refused")
        self.assertEqual(reason.to(translations("en")), "3 of 4 recent calls failed; tcp refused")
        self.assertEqual(reason.to(translations("zh")), "最近 4 次调用中 3 次失败; tcp refused")

    def test_what_a_check_says_stays_as_it_is(self) -> None:
        for text in ("http 503", "40%", "", "3 of 4 failed %(x)s"):
            self.assertEqual(reason_text(text).to(translations("zh")), text)
