"""How the command ends: one line for each error, and an exit status (docs/design/command-line.md, exit status)."""

import errno
import os
import sys
from collections.abc import Sequence

import click

from lars.cli.missing_packages import what_to_install
from lars.errors import BadInput, InvalidRoute, LarsError, NoSuchHost, SettingsError

DONE = 0
REFUSED = 1
"""The system refuses, or cannot be reached."""
WRONG_USAGE = 2
INTERRUPTED = 130
"""The status that shells give a program that Ctrl-C ended: 128 + SIGINT."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""The errors of output to a file; click itself handles a closed pipe."""


def exit_status(command: click.Command, arguments: Sequence[str] | None) -> int:
    """Runs a command line and prints its errors; returns the exit status. A bug keeps its traceback."""
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
        wrong = isinstance(error, InvalidRoute | SettingsError) and not isinstance(error, NoSuchHost)
        return WRONG_USAGE if wrong else REFUSED
    except ModuleNotFoundError as error:
        line = what_to_install(error)
        if line is None:
            raise
        complain(line)
        return REFUSED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # flushing the buffer at exit would fail again
        complain(f"standard output cannot be written: {error.strerror}")
        return REFUSED


def complain(text: str) -> None:
    """Prints one line on standard error."""
    click.echo(f"lars: {' '.join(text.split())}", err=True)
