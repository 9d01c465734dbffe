"""Refusals have the members of RFC 9457."""

from twisted.trial.unittest import SynchronousTestCase

from lars.web.api.problems import Problem, bad, changed, unknown


class ProblemTests(SynchronousTestCase):
    def test_body_says_what_is_wrong(self) -> None:
        problem = bad("limit: use a number", lines=["line 2"])
        self.assertEqual(
            problem.body,
            {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "limit: use a number",
                "lines": ["line 2"],
            },
        )
        self.assertEqual((str(problem), problem.headers), ("limit: use a number", {}))

    def test_statuses_and_headers(self) -> None:
        self.assertEqual(unknown("no such host").status, 404)
        self.assertEqual((changed("abc").status, changed("abc").headers), (412, {"ETag": '"abc"'}))
        self.assertEqual(Problem(503, "Service Unavailable", "away", {"Retry-After": "2"}).headers["Retry-After"], "2")
