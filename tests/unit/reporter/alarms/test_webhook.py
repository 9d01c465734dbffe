"""What a webhook is told."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, Subject
from lars.reporter.alarms.webhook import message


class MessageTests(SynchronousTestCase):
    def test_it_tells_what_about_what_and_since_when(self) -> None:
        alarm = Alarm(3, "gone", "silent_caller", Subject(caller=0x0A090001), "silent", 100, 0, "http://a", 0, 0)
        self.assertEqual(
            message(alarm, False),
            {"event": "raised", "id": 3, "rule": "gone", "what": "silent_caller", "subject": "caller 10.9.0.1"}
            | {"text": "silent", "raised_at": 100, "caller": "10.9.0.1"},
        )

    def test_what_has_cleared_says_when(self) -> None:
        alarm = Alarm(3, "down", "no_idle_host", Subject(1, 2), "all are set aside", 100, 160, "http://a", 1, 0)
        told = message(alarm, True)
        self.assertEqual((told["event"], told["cleared_at"], told["modid"], told["cmdid"]), ("cleared", 160, 1, 2))
        self.assertNotIn("host", told)
