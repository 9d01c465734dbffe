"""Page requests of users, as pages and templates get them."""

from datetime import UTC

from lars.db.accounts import User
from lars.web.page_request import PageRequest


class NoUses:
    """Last uses that nobody writes."""

    def token(self, _token_id: int) -> None:
        """Nothing."""

    def session(self, _digest: str) -> None:
        """Nothing."""


NOW = 1_700_000_000.0


def page_request(role: str | None = "viewer", path: str = "/", language: str = "en", **fields: str) -> PageRequest:
    """A request of the user lea, or without a role of one who is not signed in."""
    user = User("lea", "no hash", role, 0) if role else None
    return PageRequest(path, fields, NOW, user, "secret", "key", language, UTC, False, "127.0.0.1")
