"""The errors with which a client's call ends."""

from lars.errors import LarsError


class NoSuchModule(LarsError):
    """The agent knows no host of the module."""


class Overloaded(LarsError):
    """The call should not be made: most calls of the module fail by being slow, and load is shed.

    With the policy classic: every host is ejected, and this call does not probe one.
    """


class AgentUnavailable(LarsError):
    """The agent cannot be reached, or did not answer in time."""


class InvalidArgument(LarsError):
    """An argument of a call is of a kind or size that cannot be used."""
