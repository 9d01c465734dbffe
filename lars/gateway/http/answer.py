"""What an HTTP request is answered with, and the problems that refuse one (RFC 9110, RFC 9457). Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from lars.client.errors import AgentUnavailable, NoSuchModule, Overloaded
from lars.errors import InvalidRoute, LarsError

JSON = b"application/json"
PROBLEM = b"application/problem+json"

RETRY_AFTER = {b"Retry-After": b"1"}
"""Seconds until the agent is worth another question: it probes an ejected host within seconds."""

TITLES = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes
    content_type: bytes = JSON
    headers: Mapping[bytes, bytes] = field(default_factory=dict)


def json_answer(value: object) -> Answer:
    """A value as JSON."""
    return Answer(200, json.dumps(value, separators=(",", ":")).encode())


def problem(status: int, detail: str, kind: str = "", headers: Mapping[bytes, bytes] | None = None) -> Answer:
    """A problem; `kind` names it for programs, where the status alone does not."""
    about = f"urn:lars:problem:{kind}" if kind else "about:blank"
    body = {"type": about, "title": TITLES[status], "status": status, "detail": detail}
    return Answer(status, json.dumps(body).encode(), PROBLEM, headers or {})


def refusal(error: LarsError) -> Answer:
    """The problem of an error.

    A module whose hosts are all ejected is 503 and not 409: nothing in the request is in conflict with the state of
    anything, and the same request succeeds later (RFC 9110, 15.6.4 and 15.5.10).
    """
    if isinstance(error, NoSuchModule):
        return problem(404, str(error), "no-such-module")
    if isinstance(error, Overloaded):
        return problem(503, str(error), "overloaded", RETRY_AFTER)
    if isinstance(error, AgentUnavailable):
        return problem(503, str(error), "agent-unavailable", RETRY_AFTER)
    return problem(404 if isinstance(error, InvalidRoute) else 400, str(error))
