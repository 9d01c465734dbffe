"""Secrets that are handed out: cookies, tokens and links, of which the database holds digests only."""

import hashlib
import hmac
import secrets

TOKEN_PREFIX = "lars_"
"""What each token begins with, so that one which has leaked is recognized."""


def new_secret() -> str:
    """256 random bits, in characters that a URL and a cookie may hold."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the database holds of a secret: SHA-256, in hex. A random secret needs no salt and no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def form_key(secret: str) -> str:
    """What proves that a form came from a page that the holder of this cookie was shown."""
    return hmac.new(secret.encode("utf-8", "surrogateescape"), b"lars form", hashlib.sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
