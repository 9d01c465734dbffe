"""What the API answers with when it does not do as asked (RFC 9457)."""

from collections.abc import Mapping


class Problem(Exception):
    """A request that is refused: status, a title that is the same each time, and what is wrong this time."""

    def __init__(
        self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None, **members: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = dict(headers or {})
        self.body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


def bad(detail: str, **members: object) -> Problem:
    """The request holds what cannot be used."""
    return Problem(400, "Bad Request", detail, None, **members)


def unknown(detail: str) -> Problem:
    return Problem(404, "Not Found", detail)


def changed(etag: str) -> Problem:
    """If-Match does not hold."""
    detail = "the module is not what If-Match says: GET it again, look at what has changed, and send this anew"
    return Problem(412, "Precondition Failed", detail, {"ETag": f'"{etag}"'})
