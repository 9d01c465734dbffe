"""Random secrets of cookies, tokens and links; the database holds only their digests."""

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "lars_"
"""The prefix of each token, by which a leaked one is recognized."""


def new_secret() -> str:
    """256 random bits, in characters that a URL and a cookie may hold."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the database holds of a secret: SHA-256, in hex. A random secret needs neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def form_key(secret: str) -> str:
    """Proves that a form comes from a page that the holder of this cookie opened (an HMAC of the cookie)."""
    return hmac.new(secret.encode("utf-8", "surrogateescape"), b"lars form", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
