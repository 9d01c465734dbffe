"""What stops a process from being started, or ends it, in one line for a person."""

from lars.errors import LarsError


class ProcessError(LarsError):
    """A program is missing, or a process does not start, ends by itself or is not ready in time."""
