"""A test case for `lars route` with a real SQLite file."""

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import Ended, run
from tests.unit.cli.database import SqliteFile

HEADER = "modid,cmdid,ip,port\n"


class RouteTestCase(SynchronousTestCase):
    """Runs `lars route` in a folder with lars.db."""

    def setUp(self) -> None:
        self.database = SqliteFile(self.mktemp())
        self.folder = self.database.folder

    def route(self, *given: str, stdin: str = "") -> Ended:
        return run("route", *given, cwd=self.folder, stdin=stdin)

    def done(self, *given: str, stdin: str = "") -> str:
        """What a command that must succeed prints."""
        ended = self.route(*given, stdin=stdin)
        self.assertEqual((ended.status, ended.err), (0, ""), given)
        return ended.out

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return name
