"""Log events as JSON: one object a line, whatever is logged."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from lars.runtime.log_json import json_line


class Place:
    def __str__(self) -> str:
        return "10.0.0.5:8080"


class JsonLineTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[Any] = []
        self.log = Logger("lars.kiosk", observer=self.events.append)  # type: ignore[arg-type]  # a callable is one

    def written(self) -> Any:
        """The object of the one event; it stands on one line."""
        [event] = self.events
        event["log_time"] = 1_700_000_000.1234
        line = json_line(event)
        self.assertEqual((line.count("\n"), line[-1]), (1, "\n"))
        return json.loads(line)

    def test_event_has_time_level_logger_message_and_its_fields(self) -> None:
        self.log.warn("{peer} sent {count} bytes\nmore", peer=Place(), count=3, known=None, age=float("inf"))
        self.assertEqual(
            self.written(),
            {
                "time": "2023-11-14T22:13:20.123+00:00",
                "level": "warn",
                "logger": "lars.kiosk",
                "message": "10.0.0.5:8080 sent 3 bytes\nmore",
                "fields": {"peer": "10.0.0.5:8080", "count": 3, "known": None, "age": "inf"},
            },
        )

    def test_failure_has_its_traceback(self) -> None:
        self.log.failure("it broke", Failure(ValueError("why")))
        written = self.written()
        self.assertEqual((written["level"], written["message"], "fields" in written), ("critical", "it broke", False))
        self.assertIn("ValueError: why", written["traceback"])

    def test_line_of_a_worker_is_passed_on_with_its_shard(self) -> None:
        self.log.info("[{tag}] {line}", tag="shard-1", line='{"level": "warn", "message": "x"}', stream="stdout")
        self.assertEqual(self.written(), {"level": "warn", "message": "x", "process": "shard-1"})

    def test_line_of_a_worker_that_is_no_json_is_a_message(self) -> None:
        self.log.info("[{tag}] {line}", tag="shard-1", line="{Killed", stream="stderr")
        self.assertEqual(self.written()["message"], "[shard-1] {Killed")

    @given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary())))
    def test_any_event_is_one_line(self, event: dict[str, Any]) -> None:
        line = json_line(event)
        self.assertEqual(line.count("\n"), 1)
        self.assertIsInstance(json.loads(line), dict)
