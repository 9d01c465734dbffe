"""What a client's call can end with instead of an answer."""

from lars.errors import LarsError


class NoSuchModule(LarsError):
    """The agent knows no host of the module."""


class Overloaded(LarsError):
    """Every host of the module is set aside as failing, and this call was not chosen to probe one."""


class AgentUnavailable(LarsError):
    """The agent cannot be reached, or has not answered in time."""
