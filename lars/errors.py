"""The root of all errors of Lars: an error here is one line for a person, never a traceback."""

from collections.abc import Sequence


class LarsError(Exception):
    """Something a person can act on; its text says what, where and what to do, in one line."""


class SettingsError(LarsError):
    """A setting cannot be used; the text names the file, section and key, or the option."""


class BadInput(LarsError):
    """Input that holds what cannot be used; `problems` has a line for each of its faults."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class InvalidRoute(LarsError):
    """A module, host or route that cannot exist."""
