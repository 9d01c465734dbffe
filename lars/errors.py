"""The root of all errors of Lars. Their texts are for users: one line, never a traceback."""

from collections.abc import Sequence


class LarsError(Exception):
    """An error that a user can act on; its text says what is wrong, where, and what to do, in one line."""


class SettingsError(LarsError):
    """A setting is invalid; the text names the file, section and key, or the option."""


class BadInput(LarsError):
    """Input is invalid; `problems` has one line for each fault in it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidRoute(LarsError):
    """A module, host or route is invalid."""


class NoSuchHost(InvalidRoute):
    """A host that is to be changed is in no route."""
