"""The log file of a service: as twistd's own, and it can also be rotated from outside.

After SIGHUP it is opened anew, for logrotate's way of moving it; it is always appended to, for its copytruncate.
"""

import os
import signal
import stat
import sys
from pathlib import Path
from typing import Any

from twisted.logger import FileLogObserver, ILogObserver, textFileLogObserver
from twisted.python.logfile import LogFile

from lars.runtime.log_json import json_line
from lars.runtime.reactor import installed_reactor
from lars.settings import ServiceOptions


class RotatedLogFile(LogFile):
    """Starts a new file at 1 MB by itself, until somebody else rotates it."""

    def _openFile(self) -> None:
        super()._openFile()  # type: ignore[no-untyped-call]  # Twisted's has no types
        self._file.close()
        self._file = Path(self.path).open("ab", buffering=0)  # noqa: SIM115  # open as long as the log is

    def shouldRotate(self) -> bool:
        if self.rotateLength and self.size >= self.rotateLength:
            self.size = os.fstat(self._file.fileno()).st_size  # less if it was truncated
        return bool(super().shouldRotate())  # type: ignore[no-untyped-call]  # Twisted's has no types

    def moved(self) -> None:
        """Opens the file anew: it was moved away. From now on it does not start a new one by itself."""
        self.rotateLength = None
        mode = stat.S_IMODE(os.fstat(self._file.fileno()).st_mode)
        self.defaultMode = None if Path(self.path).exists() else mode  # where there is one, logrotate has made it
        self.reopen()  # type: ignore[no-untyped-call]  # Twisted's has no types


def log_file_observer() -> ILogObserver:
    """An observer that writes to the file of the service's options, which SIGHUP opens anew and SIGUSR1 rotates.

    twistd takes it by its name, and calls it without arguments.
    """
    return textFileLogObserver(_log_file())  # type: ignore[arg-type]  # a LogFile has what it needs of a text file


def json_log_observer() -> ILogObserver:
    """As log_file_observer, with an object a line, and to standard output where the options name no file."""
    file: Any = sys.stdout if ServiceOptions.log_file in ("", "-") else _log_file()
    return FileLogObserver(file, json_line)


def _log_file() -> RotatedLogFile:
    file: RotatedLogFile = RotatedLogFile.fromFullPath(ServiceOptions.log_file)  # type: ignore[no-untyped-call]  # Twisted's has no types

    def on_signal(number: int, _frame: Any) -> None:
        method = file.moved if number == signal.SIGHUP else file.rotate
        installed_reactor().callFromThread(method)  # in a later turn, not amid a line

    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, on_signal)
    return file
