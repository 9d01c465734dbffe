"""Accounts: which user names, passwords and roles are valid, and how a password is hashed."""

import re

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lars.common_passwords import COMMON_PASSWORDS
from lars.errors import LarsError

ROLES = ("viewer", "editor", "admin")
"""The roles of users; each may do what those before it may."""

REGISTER = "register"
"""The role of a token with which nodes register themselves, and do nothing else."""

TOKEN_ROLES = (REGISTER, *ROLES)
"""The roles of tokens."""

MIN_PASSWORD = 10
MAX_PASSWORD = 200
"""Characters of a password, at least and at most."""

NO_PASSWORD = ""
"""The hash of a user who has none, such as one whom a proxy signs in: nothing matches it."""

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


def role_of_token(token: str, user: str) -> str | None:
    """What a token of one role may do for a user of another: no more than the user; None: nothing."""
    if token not in TOKEN_ROLES or user not in ROLES:
        return None
    if token == REGISTER:
        return token if user != "viewer" else None
    return min(token, user, key=ROLES.index)


def new_password(text: str, user: str = "") -> str:
    """The password unchanged; raises BadAccount if it is too short, too long or easily guessed.

    No rule says which characters it has, and none ever ends it (NIST SP 800-63B, 5.1.1.2).
    """
    if not MIN_PASSWORD <= len(text) <= MAX_PASSWORD:
        raise BadAccount(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    if is_easily_guessed(text, user):
        raise BadAccount("this is one of the passwords that are tried first: choose another, such as four random words")
    return text


def is_easily_guessed(password: str, user: str = "") -> bool:
    """Whether a password is among the commonest, or little but the user's name or the product's."""
    text = password.lower()
    rest = text.replace(user, "") if user else text
    return text in COMMON_PASSWORDS or len(rest.replace("lars", "")) < MIN_PASSWORD // 2


def hash_password(password: str) -> str:
    """An argon2id hash (RFC 9106) with its parameters and salt. Takes some 50 ms and 64 MiB: run it in a thread."""
    return _hasher.hash(password)


def is_password(stored: str | None, password: str) -> bool:
    """Whether a password matches a hash; never if there is none, or an empty one, after the same time."""
    try:
        return _hasher.verify(stored or _UNKNOWN_USER, password[: MAX_PASSWORD + 1]) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False
