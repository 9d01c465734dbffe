"""Tests without sockets, processes or sleeping; they run under trial and under pytest alike."""

import sys

from twisted.logger import Logger
from twisted.python.failure import Failure

_log = Logger()


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Logs what a `__del__` or a callback of C raised, since trial fails the test in which an error is logged."""
    _log.failure("raised in {where!r}", Failure(unraisable.exc_value), where=unraisable.object)


if sys.unraisablehook is sys.__unraisablehook__:  # pytest has its own, and fails the test as well
    sys.unraisablehook = _log_unraisable
