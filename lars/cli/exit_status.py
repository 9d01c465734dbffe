"""How the command ends: each error one line for a person, and the exit status that a script reads.

See docs/design/command-line.md, exit status.
"""

import errno
import os
import sys
from collections.abc import Sequence

import click

from lars.errors import BadInput, InvalidRoute, LarsError, SettingsError

DONE = 0
REFUSED = 1
"""The system said no, or cannot be reached."""
WRONG_USAGE = 2
INTERRUPTED = 130
"""What shells make of a program that Ctrl-C ended."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What output to a file fails with; click itself deals with a closed pipe."""


def exit_status(command: click.Command, arguments: Sequence[str] | None) -> int:
    """Runs a command line and tells every error that a person can act on; a bug keeps its traceback."""
    try:
        result = command.main(arguments, prog_name="lars", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.", err=True)
        complain(error.format_message())
        return WRONG_USAGE
    except BadInput as error:
        for problem in error.problems:
            complain(problem)
        return WRONG_USAGE
    except LarsError as error:
        complain(str(error))
        return WRONG_USAGE if isinstance(error, InvalidRoute | SettingsError) else REFUSED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is buffered would fail again at the end
        complain(f"standard output cannot be written: {error.strerror}")
        return REFUSED


def complain(text: str) -> None:
    """One line on standard error."""
    click.echo(f"lars: {' '.join(text.split())}", err=True)
