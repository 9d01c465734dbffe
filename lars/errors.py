"""The root of all errors of Lars: an error here is one line for a person, never a traceback."""


class LarsError(Exception):
    """Something a person can act on; its text says what, where and what to do, in one line."""


class SettingsError(LarsError):
    """A setting cannot be used; the text names the file, section and key, or the option."""


class InvalidRoute(LarsError):
    """A module, host or route that cannot exist."""
