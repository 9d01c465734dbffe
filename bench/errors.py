"""What stops a figure from being measured, in one line for a person."""

from lars.errors import LarsError


class BenchError(LarsError):
    """A figure cannot be measured, or what it measured answered wrongly."""
