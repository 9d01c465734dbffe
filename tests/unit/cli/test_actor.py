"""Who an edit is recorded as."""

import getpass
import os

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.actor import actor


class ActorTests(SynchronousTestCase):
    def test_user_is_named_by_login_name(self) -> None:
        self.assertEqual(actor(), f"cli:{getpass.getuser()}")

    def test_user_without_a_name_is_a_number(self) -> None:
        def nameless() -> str:
            raise KeyError("no such uid")

        self.patch(getpass, "getuser", nameless)
        self.assertEqual(actor(), f"cli:{os.getuid()}")
