"""What is posted to a webhook."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm, Subject
from lars.reporter.alarms.webhook import payload


class PayloadTests(SynchronousTestCase):
    def test_payload_of_a_raised_alarm(self) -> None:
        alarm = Alarm(3, "gone", "silent_caller", Subject(caller=0x0A090001), "silent", 100, 0, "http://a", 0, 0)
        self.assertEqual(
            payload(alarm, False),
            {"event": "raised", "id": 3, "rule": "gone", "what": "silent_caller", "subject": "caller 10.9.0.1"}
            | {"text": "silent", "raised_at": 100, "caller": "10.9.0.1"},
        )

    def test_payload_of_a_cleared_alarm_has_its_time(self) -> None:
        alarm = Alarm(3, "down", "no_idle_host", Subject(1, 2), "all are ejected", 100, 160, "http://a", 1, 0)
        content = payload(alarm, True)
        self.assertEqual(
            (content["event"], content["cleared_at"], content["modid"], content["cmdid"]), ("cleared", 160, 1, 2)
        )
        self.assertNotIn("host", content)
