"""`lars user` on a real SQLite file."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import run

PASSWORD = "correct horse\n"


class UserTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        run("db", "init", cwd=self.folder)

    def test_users_come_change_and_go_but_the_last_admin_stays(self) -> None:
        added = run("user", "add", "Ada", "--role", "admin", cwd=self.folder, stdin=PASSWORD)
        self.assertEqual((added.status, added.out, added.err), (0, "added ada, admin\n", ""))
        again = run("user", "add", "ada", cwd=self.folder, stdin=PASSWORD)
        self.assertEqual((again.status, again.error), (1, "there is a user ada already: choose another name"))
        self.assertEqual(run("user", "passwd", "ada", cwd=self.folder, stdin=PASSWORD).status, 0)
        gone = run("user", "rm", "ada", cwd=self.folder)
        self.assertEqual((gone.status, gone.error), (1, "ada is the only admin: make another one first"))
        self.assertEqual(run("user", "add", "bob", "--role", "admin", cwd=self.folder, stdin=PASSWORD).status, 0)
        self.assertEqual(run("user", "rm", "ada", cwd=self.folder).out, "removed ada\n")
        self.assertEqual(run("user", "rm", "ada", cwd=self.folder).error, "there is no user ada")

    def test_bad_names_and_passwords_are_refused(self) -> None:
        short = run("user", "add", "ada", cwd=self.folder, stdin="short\n")
        self.assertEqual(short.status, 2)
        self.assertIn("a password has 10 to 200 characters", short.err)
        self.assertEqual(run("user", "add", "a b", cwd=self.folder, stdin=PASSWORD).status, 2)
