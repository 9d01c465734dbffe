"""Who runs the command, as the audit of edits records it."""

import getpass
import os


def actor() -> str:
    """ "cli:" and the login name, or the user's number if that has no name (docs/design/database.md, audit)."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        return f"cli:{os.getuid()}"
