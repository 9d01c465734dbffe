"""Errors as problems."""

import json

from twisted.trial.unittest import SynchronousTestCase

from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.errors import InvalidRoute, LarsError
from lars.gateway.http.answer import PROBLEM, refusal
from lars.gateway.http.bodies import BadRequest


class RefusalTests(SynchronousTestCase):
    def test_each_error_has_its_status_and_type(self) -> None:
        for error, status, kind in (
            (NoSuchModule("x"), 404, "urn:lars:problem:no-such-module"),
            (Overloaded("x"), 503, "urn:lars:problem:overloaded"),
            (AgentUnavailable("x"), 503, "urn:lars:problem:agent-unavailable"),
            (InvalidRoute("x"), 404, "about:blank"),
            (BadRequest("x"), 400, "about:blank"),
            (LarsError("x"), 400, "about:blank"),
        ):
            answer = refusal(error)
            self.assertEqual((answer.status, answer.content_type), (status, PROBLEM))
            self.assertEqual({b"Retry-After": b"1"} if status == 503 else {}, answer.headers)
            body = json.loads(answer.body)
            self.assertEqual((body["type"], body["status"], body["detail"]), (kind, status, "x"))
