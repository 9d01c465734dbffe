"""Tests without sockets, processes or sleeping; they run under trial and under pytest alike."""

import faulthandler
import sys
import unittest
from collections.abc import Callable
from functools import wraps

from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

_log = Logger()

HANGS = 60.0
"""Seconds after which a test has hung: its process ends with the stacks of its threads. The slowest take a fifth."""

Run = Callable[[SynchronousTestCase, unittest.TestResult], None]


def _watched(run: Run) -> Run:
    """Runs a test as `run` does, for HANGS seconds at most; pytest does the same by its faulthandler_timeout."""

    @wraps(run)
    def watched(case: SynchronousTestCase, result: unittest.TestResult) -> None:
        faulthandler.dump_traceback_later(HANGS, exit=True)
        try:
            run(case, result)
        finally:
            faulthandler.cancel_dump_traceback_later()

    return watched


def _log_unraisable(unraisable: "sys.UnraisableHookArgs") -> None:
    """Logs what a `__del__` or a callback of C raised, since trial fails the test in which an error is logged."""
    _log.failure("raised in {where!r}", Failure(unraisable.exc_value), where=unraisable.object)


if sys.unraisablehook is sys.__unraisablehook__:  # pytest has its own, fails the test as well, and ends what hangs
    sys.unraisablehook = _log_unraisable
    SynchronousTestCase.run = _watched(SynchronousTestCase.run)  # type: ignore[method-assign]
