"""What an agent shows to the servers that it links to (docs/security.md, tokens)."""

from dataclasses import dataclass

from lars.runtime.token_file import TokenFile


@dataclass(frozen=True, slots=True)
class Credentials:
    """The proofs of an agent; nothing by default."""

    tokens: TokenFile | None = None
    """Of which the first is presented."""

    @property
    def token(self) -> str:
        """The token to present on a new connection; empty for none."""
        return self.tokens.first if self.tokens is not None else ""


NO_CREDENTIALS = Credentials()
