"""The API's refusals (RFC 9457)."""

from collections.abc import Mapping

MAX_LINES = 100
"""Faults of one request that are listed."""


class Problem(Exception):
    """A refused request: its status, the title of that status, and what is wrong this time."""

    def __init__(
        self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


def bad(detail: str, **members: object) -> Problem:
    """The request cannot be used."""
    return Problem(400, "Bad Request", detail, None, **members)


def unknown(detail: str) -> Problem:
    """There is nothing of this name."""
    return Problem(404, "Not Found", detail)


def changed(etag: str) -> Problem:
    """If-Match does not hold."""
    detail = "the module is not what If-Match says: GET it again, check what has changed, and repeat the request"
    return Problem(412, "Precondition Failed", detail, {"ETag": f'"{etag}"'})
