"""`lars db` on real SQLite files."""

import sqlite3
from contextlib import closing
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.unit.cli.command import run


class DbTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.file = self.folder / "lars.db"
        self.url = f"sqlite:///{self.file}"

    def execute(self, *statements: str) -> None:
        with closing(sqlite3.connect(self.file)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def test_init_creates_the_file_and_running_it_again_does_nothing(self) -> None:
        first = run("db", "init", cwd=self.folder)
        self.assertEqual((first.status, first.err), (0, ""))
        self.assertIn("created table RouteData\n", first.out)
        self.assertTrue(first.out.endswith(f"{self.url} is ready\n"))
        again = run("db", "init", cwd=self.folder)
        self.assertEqual((again.status, again.out), (0, f"{self.url} is ready: nothing to do\n"))

    def test_a_command_that_ended_leaves_everything_in_the_one_file(self) -> None:
        run("db", "init", cwd=self.folder)
        run("route", "add", "1", "1", "10.0.0.1:80", cwd=self.folder)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["lars.db"])

    def test_check_counts_what_is_there(self) -> None:
        run("db", "init", cwd=self.folder)
        run("route", "add", "1", "1", "10.0.0.1:80", "10.0.0.2:80", cwd=self.folder)
        ended = run("db", "check", cwd=self.folder)
        self.assertEqual((ended.status, ended.err), (0, ""))
        self.assertRegex(ended.out, rf"^{self.url} is sound: 2 routes of 1 module, version \d+\n$")

    def test_check_tells_each_problem_and_ends_as_refused(self) -> None:
        run("db", "init", cwd=self.folder)
        self.execute(
            "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 5, 70000)",
            "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 0, 80)",
        )
        ended = run("db", "check", cwd=self.folder)
        self.assertEqual((ended.status, ended.error), (1, f"{self.url}: 2 problems found"))
        self.assertIn("port 70000 cannot be a route", ended.out)
        as_json = run("db", "check", "--json", cwd=self.folder)
        self.assertEqual((as_json.status, as_json.json["problems"]), (1, ended.out.splitlines()))
        self.assertEqual((as_json.json["database"], as_json.json["routes"]), (self.url, 2))

    def test_a_table_that_is_missing_comes_back_with_init(self) -> None:
        run("db", "init", cwd=self.folder)
        self.execute("DROP TABLE RouteAudit")
        self.assertIn("table RouteAudit is missing: run `lars db init`", run("db", "check", cwd=self.folder).out)
        self.assertIn("created table RouteAudit\n", run("db", "init", cwd=self.folder).out)
        self.assertEqual(run("db", "check", cwd=self.folder).status, 0)

    def test_a_file_that_is_not_there_is_not_created_by_looking(self) -> None:
        for given in (["db", "check"], ["route", "list"], ["route", "add", "1", "1", "10.0.0.1:80"], ["status"]):
            ended = run(*given, cwd=self.folder)
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertIn(f"{self.url}: no such file: run `lars db init`", ended.error)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_file_that_is_no_database_is_one_line(self) -> None:
        self.file.write_text("hello\n" * 1000)
        for given in (["db", "init"], ["db", "check"], ["route", "list"]):
            ended = run(*given, cwd=self.folder)
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertIn("file is not a database", ended.error)
        self.assertEqual(self.file.read_text(), "hello\n" * 1000)

    def test_a_folder_that_is_not_there_is_named(self) -> None:
        ended = run("db", "init", "--db", f"sqlite:///{self.folder}/sub/lars.db")
        self.assertEqual(ended.status, 1)
        self.assertIn(f"no such directory: {self.folder}/sub: create it first", ended.error)

    def test_an_empty_database_is_told_to_be_initialised(self) -> None:
        self.file.touch()
        ended = run("route", "list", cwd=self.folder)
        self.assertEqual(ended.status, 1)
        self.assertIn("run `lars db init`", ended.error)

    def test_a_server_that_is_away_is_one_line(self) -> None:
        for given in (["db", "init"], ["route", "list"]):
            ended = run(*given, "--db", "mysql://lars:secret@127.0.0.1:1/lars_dns")
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertRegex(ended.error, r"^mysql://lars@127\.0\.0\.1:1/lars_dns: .*: Connection refused$")
