"""What an agent shows to the servers that it links to (docs/security.md)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lars.runtime.tls import Tls
from lars.runtime.token_file import TokenFile


@dataclass(frozen=True, slots=True)
class Credentials:
    """The proofs of an agent; nothing by default."""

    tokens: TokenFile | None = None
    """Of which the first is presented."""

    tls: Tls | None = None
    """The certificate to present, and the CA of the servers' certificates; None: no TLS."""

    @property
    def reloads(self) -> Sequence[Callable[[], None]]:
        """What reads changed files again."""
        return [files.reload for files in (self.tokens, self.tls) if files is not None]

    @property
    def token(self) -> str:
        """The token to present on a new connection; empty for none."""
        return self.tokens.first if self.tokens is not None else ""


NO_CREDENTIALS = Credentials()
