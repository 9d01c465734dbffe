"""Accounts: which user names, passwords and roles are valid, and how a password is hashed."""

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lars.errors import LarsError

ROLES = ("viewer", "editor", "admin")
"""Each role may do what those before it may."""

MIN_PASSWORD = 10
MAX_PASSWORD = 200
"""Characters of a password, at least and at most."""

_hasher = PasswordHasher()
_COSTS = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
_UNKNOWN_USER = f"$argon2id$v=19${_COSTS}${'A' * 22}${'A' * 43}"
"""The hash that the password of an unknown user is compared with, so that it takes as long as that of a known one: 16
bytes of salt and 32 of hash, all zero."""


class BadAccount(LarsError):
    """A user name or password is invalid; the text says what a valid one is."""


def user_name(text: str) -> str:
    """A user name in lower case, without surrounding blanks; raises BadAccount if it is invalid."""
    name = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{0,63}", name):
        raise BadAccount("a user's name has 1 to 64 of a-z, 0-9 and ._-@, and begins with a letter or digit")
    return name


def new_password(text: str) -> str:
    """The password unchanged; raises BadAccount if it is too short or too long."""
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
        raise BadAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return text


def hash_password(password: str) -> str:
    """An argon2id hash (RFC 9106) with its parameters and salt. Takes some 50 ms and 64 MiB: run it in a thread."""
    return _hasher.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Whether a password matches a hash; never if there is no hash, after the same time."""
    try:
        return _hasher.verify(stored or _UNKNOWN_USER, password[: MAX_PASSWORD + 1]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
