"""What lars-web answers, as the error that a command ends with."""

import json

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.api import ApiRefused, ApiRequest, refusal
from lars.errors import BadInput, InvalidRoute, LarsError, NoSuchHost

URL = "http://lars.example"


def problem(status: int, **members: object) -> LarsError:
    return refusal(URL, status, json.dumps({"title": "x", "detail": "why", **members}).encode())


class RefusalTests(SynchronousTestCase):
    def test_detail_of_a_problem_is_the_line_and_its_status_the_kind(self) -> None:
        for status, kind in (
            (400, InvalidRoute),
            (404, NoSuchHost),
            (401, ApiRefused),
            (403, ApiRefused),
            (503, ApiRefused),
        ):
            error = problem(status)
            self.assertIs(type(error), kind)
            self.assertEqual(str(error), "why")

    def test_each_bad_line_of_a_file_is_named(self) -> None:
        error = problem(400, lines=["line 1: no", "line 2: no"])
        assert isinstance(error, BadInput)
        self.assertEqual(error.problems, ["line 1: no", "line 2: no"])

    def test_answer_of_something_else_names_the_url(self) -> None:
        for body in (b"<html>", b"[]", b'"x"', b'{"error": 1}', b"\xff"):
            self.assertEqual(
                str(refusal(URL, 502, body)),
                "lars-web at http://lars.example answers 502, and not as lars-web does: check the URL",
            )

    def test_request_of_a_value_is_json(self) -> None:
        request = ApiRequest.of("PUT", "/x", {"a": 1})
        self.assertEqual((request.body, request.content_type), (b'{"a": 1}', "application/json"))
