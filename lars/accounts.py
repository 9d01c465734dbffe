"""Names, passwords and roles of those who may sign in: how each is checked, and how a password is hashed."""

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lars.errors import LarsError

ROLES = ("viewer", "editor", "admin")

MIN_PASSWORD = 10
MAX_PASSWORD = 200

_hasher = PasswordHasher()
_COSTS = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
_NOBODY = f"$argon2id$v=19${_COSTS}${'A' * 22}${'A' * 43}"
"""What the password of an unknown user is compared with, so that it takes as long as that of a known one: 16 bytes of
salt and 32 of hash, all zero."""


class BadAccount(LarsError):
    """A name or password that cannot be had; the text says what is wrong with it."""


def user_name(text: str) -> str:
    """A user's name, in lower case; raises BadAccount unless it is 1 to 64 letters, digits, dots, dashes and so on."""
    name = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9._@-]{0,63}", name):
        raise BadAccount("a user's name is 1 to 64 of a-z, 0-9 and ._-@, and begins with a letter or digit")
    return name


def new_password(text: str) -> str:
    """A password as it was typed; raises BadAccount if it is too short or too long."""
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
        raise BadAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    return text


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt. Takes some 50 ms and 64 MiB: run it in a thread."""
    return _hasher.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a hash; of no hash, never, in the same time."""
    try:
        return _hasher.verify(stored or _NOBODY, password[: MAX_PASSWORD + 1]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False
