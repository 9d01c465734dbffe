"""What is posted to a webhook."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.alarms import Alarm
from lars.db.measurements import Subject
from lars.reporter.alarms.payload import page_of, payload


class PayloadTests(SynchronousTestCase):
    def test_payload_of_a_raised_alarm(self) -> None:
        alarm = Alarm(3, "gone", "silent_caller", Subject(caller=0x0A090001), "silent", 100, 0, "http://a", 0, 0)
        self.assertEqual(
            payload(alarm, False),
            {"event": "raised", "id": 3, "rule": "gone", "what": "silent_caller", "subject": "caller 10.9.0.1"}
            | {"text": "gone: caller 10.9.0.1: silent", "figures": "silent", "figures_now": "silent"}
            | {"raised_at": 100, "caller": "10.9.0.1"},
        )

    def test_payload_of_a_cleared_alarm_has_its_time_and_reason(self) -> None:
        alarm = Alarm(
            3,
            "down",
            "no_idle_host",
            Subject(1, 2),
            "all 2 hosts are down",
            100,
            160,
            "http://a",
            1,
            0,
            "its only host is down",
            "back to normal for 60 s",
            "shop / pay",
        )
        content = payload(alarm, True)
        self.assertEqual(
            (content["event"], content["cleared_at"], content["modid"], content["cmdid"], content["module"]),
            ("cleared", 160, 1, 2, "shop / pay"),
        )
        self.assertEqual(content["reason"], "back to normal for 60 s")
        self.assertEqual(
            content["text"],
            "Cleared: down: module (1, 2) shop / pay: back to normal for 60 s (was: its only host is down)",
        )
        self.assertNotIn("host", content)

    def test_text_says_everything_in_one_line(self) -> None:
        alarm = Alarm(
            3,
            "errors",
            "err_rate",
            Subject(1, 2, 0x0A000005, 80),
            "20 % failed",
            100,
            0,
            "",
            0,
            0,
            "30 % failed",
            "",
            "shop / pay",
        )
        content = payload(alarm, False, "https://lars.example")
        self.assertEqual(
            content["text"],
            "errors: host 10.0.0.5:80 of module (1, 2) shop / pay: 20 % failed (now: 30 % failed) "
            "https://lars.example/modules/1/2",
        )
        self.assertEqual(content["url"], "https://lars.example/modules/1/2")
        self.assertEqual((content["figures"], content["figures_now"]), ("20 % failed", "30 % failed"))

    def test_links_lead_to_what_an_alarm_is_about(self) -> None:
        for subject, path in ((Subject(1, 2, 5, 80), "/modules/1/2"), (Subject(caller=5), "/agents")):
            self.assertEqual(page_of(Alarm(3, "x", "x", subject, "", 1, 0, "", 0, 0)), path)
