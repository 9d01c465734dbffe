"""The API of a lars-web, for commands with --api: one request after another, with a token, by the standard library."""

import http.client
import json
import ssl
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

from lars.errors import BadInput, InvalidRoute, LarsError, NoSuchHost

TIMEOUT = 30.0
"""Seconds for a connection, and for each read of an answer."""

JSON, CSV = "application/json", "text/csv"


class ApiRefused(LarsError):
    """lars-web refuses a request, or cannot be asked; the text says why."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request: `path` begins behind /api/v1."""

    method: str
    path: str
    body: bytes | None = None
    content_type: str = JSON

    @classmethod
    def of(cls, method: str, path: str, value: object) -> "ApiRequest":
        """A request with a value as JSON."""
        return cls(method, path, json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Api:
    """A lars-web by its URL, which may have a path, and a token for it. It never follows a redirect with the token."""

    url: str
    token: str

    def ask(self, request: ApiRequest) -> bytes:
        """The body of an answer.

        Raises BadInput or InvalidRoute for a request that is wrong, NoSuchHost for a host that is not there, and
        ApiRefused if lars-web refuses or cannot be reached.
        """
        headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "lars"}
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        try:
            with closing(self._connection()) as connection:
                path = f"{urlsplit(self.url).path.rstrip('/')}/api/v1{request.path}"
                connection.request(request.method, path, request.body, headers)
                answer = connection.getresponse()
                status, body = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ApiRefused(f"lars-web at {self.url} cannot be asked: {error or type(error).__name__}") from None
        if 200 <= status < 300:
            return body
        raise refusal(self.url, status, body)

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        if parts.scheme == "https":
            return http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=TIMEOUT, context=ssl.create_default_context()
            )
        return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def refusal(url: str, status: int, body: bytes) -> LarsError:
    """The error for an answer that is none of success (RFC 9457)."""
    try:
        problem = json.loads(body)
        detail, lines = str(problem["detail"]), problem.get("lines")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiRefused(f"lars-web at {url} answers {status}, and not as lars-web does: check the URL")
    if status == 400 and isinstance(lines, list) and lines:
        return BadInput([str(line) for line in lines])
    if status == 400:
        return InvalidRoute(detail)
    if status == 404:
        return NoSuchHost(detail)
    return ApiRefused(detail)
