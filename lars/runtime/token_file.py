"""A file of tokens: a server accepts each of them, a peer presents the first. It is read again when it changes.

See docs/security.md, tokens.
"""

import hmac
from pathlib import Path

from twisted.logger import Logger

from lars.errors import LarsError
from lars.wording import counted

_log = Logger()

SHORTEST, LONGEST = 16, 256
"""Characters of a token."""


class TokenFileError(LarsError):
    """A file of tokens cannot be read, or what is in it is no token."""


class TokenFile:
    """The tokens of a file, one a line; empty lines, and those that begin with #, are left out.

    Raises TokenFileError if it cannot be read or has no tokens. Later it keeps the tokens that it has in such a case.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._stamp = self._stat()
        self._tokens = self._read()
        self._is_unusable = False  # since it was last read

    @property
    def first(self) -> str:
        """The token to present."""
        return self._tokens[0].decode("ascii")

    def accepts(self, token: str) -> bool:
        """Whether a token is one of the file; takes as long whichever it is, and if it is none."""
        given = token.encode("utf-8", "replace")
        matches = [hmac.compare_digest(given, known) for known in self._tokens]
        return any(matches)

    def reload(self) -> None:
        """Reads the file again if it has changed; a file that cannot be used is logged."""
        try:
            stamp = self._stat()
            if stamp == self._stamp:
                return
            self._tokens = self._read()
        except TokenFileError as error:
            if not self._is_unusable:
                _log.error("{error}; the tokens that were read before stay in use", error=str(error))
            self._is_unusable = True
        else:
            self._stamp, self._is_unusable = stamp, False
            _log.info("{path}: {tokens} read", path=str(self._path), tokens=counted(len(self._tokens), "token"))

    def _stat(self) -> tuple[int, ...]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise self._unreadable(error) from None
        return stat.st_ino, stat.st_size, stat.st_mtime_ns

    def _read(self) -> list[bytes]:
        try:
            lines = [line.strip() for line in self._path.read_text(encoding="ascii").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from None
        found = [line for line in lines if line and not line.startswith("#")]
        for number, token in enumerate(found, 1):
            if not SHORTEST <= len(token) <= LONGEST or any(c.isspace() or not c.isprintable() for c in token):
                raise TokenFileError(
                    f"token file {self._path}: token {number} is not {SHORTEST} to {LONGEST} printable characters "
                    "without blanks; make one by `openssl rand -hex 32`"
                )
        if not found:
            raise TokenFileError(
                f"token file {self._path}: there is no token in it; make one by `openssl rand -hex 32`"
            )
        return [token.encode("ascii") for token in found]

    def _unreadable(self, error: OSError | UnicodeDecodeError) -> TokenFileError:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        return TokenFileError(f"token file {self._path}: cannot be read: {reason}")
