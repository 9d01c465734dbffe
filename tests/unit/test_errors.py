"""Errors for users: one root, one line, and one problem for each fault of an input."""

from twisted.trial.unittest import SynchronousTestCase

from lars.db.engine import DatabaseError
from lars.errors import BadInput, InvalidRoute, LarsError, SettingsError


class ErrorTests(SynchronousTestCase):
    def test_all_have_one_root(self) -> None:
        for error in (SettingsError, BadInput, InvalidRoute, DatabaseError):
            self.assertTrue(issubclass(error, LarsError), error)

    def test_bad_input_keeps_its_problems_and_says_them_in_one_line(self) -> None:
        error = BadInput(["line 1: a", "line 3: b"])
        self.assertEqual((str(error), error.problems), ("line 1: a; line 3: b", ["line 1: a", "line 3: b"]))
