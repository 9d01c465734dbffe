"""`lars route` on a real SQLite file."""

import getpass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.db.routes import routes_txn
from lars.route import HostAddress
from tests.unit.cli.command import Ended, run
from tests.unit.cli.database import SqliteFile

HEADER = "modid,cmdid,ip,port\n"


class RouteTestCase(SynchronousTestCase):
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


class EditTests(RouteTestCase):
    def test_add_says_what_changed_and_the_version_that_now_stands(self) -> None:
        out = self.done("add", "1", "1", "10.0.0.5:8080", "10.0.0.6:8080", "10.0.0.5:8080")
        ((version,),) = self.database.rows("SELECT version FROM RouteVersion WHERE id = 1")
        self.assertEqual(out, f"added 2 hosts to (1, 1); version {version}\n")
        again = self.done("add", "1", "1", "10.0.0.5:8080")
        self.assertEqual(again, f"nothing to change; version {version}\n")

    def test_rm_takes_out_hosts_or_all_of_them(self) -> None:
        self.done("add", "1", "1", "10.0.0.5:8080", "10.0.0.6:8080", "10.0.0.7:8080")
        self.assertRegex(
            self.done("rm", "1", "1", "10.0.0.5:8080", "10.9.9.9:1"), r"^removed 1 host from \(1, 1\); version \d+\n$"
        )
        self.assertRegex(self.done("rm", "1", "1", "10.0.0.5:8080"), r"^nothing to change; version \d+\n$")
        self.assertRegex(self.done("rm", "1", "1", "--all"), r"^removed 2 hosts from \(1, 1\); version \d+\n$")
        self.assertEqual(self.database.rows("SELECT * FROM RouteData"), [])

    def test_audit_names_who_edited(self) -> None:
        self.done("add", "1", "1", "10.0.0.5:8080")
        self.assertEqual(
            self.database.rows("SELECT actor, modid, cmdid, hosts_after FROM RouteAudit"),
            [(f"cli:{getpass.getuser()}", 1, 1, "10.0.0.5:8080")],
        )


class ListTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        text = HEADER + "1,1,10.0.0.9,80\n1,1,10.0.0.10,80\n1,2,10.0.0.1,65535\n20,1,10.0.0.1,1\n"
        self.done("import", "-", stdin=text)

    def test_list_is_aligned_and_can_be_narrowed(self) -> None:
        self.assertEqual(
            self.done("list"),
            "MODID  CMDID  HOST\n"
            "    1      1  10.0.0.9:80\n"
            "    1      1  10.0.0.10:80\n"
            "    1      2  10.0.0.1:65535\n"
            "   20      1  10.0.0.1:1\n",
        )
        self.assertEqual(len(self.done("list", "1").splitlines()), 4)
        self.assertEqual(len(self.done("list", "1", "2").splitlines()), 2)
        self.assertEqual(len(self.done("list", "7").splitlines()), 1)

    def test_json_of_list_and_export_is_what_import_reads(self) -> None:
        listed = self.route("list", "--json")
        self.assertEqual(listed.json[0], {"modid": 1, "cmdid": 1, "ip": "10.0.0.9", "port": 80})
        self.assertEqual(len(listed.json), 4)
        self.assertEqual(self.done("export", "--json"), listed.out)
        self.assertEqual(self.done("export", "--format", "json"), listed.out)
        self.assertEqual(self.route("list", "7", "--json").json, [])

    def test_export_and_import_round_trip(self) -> None:
        for options in ([], ["--format", "json"]):
            exported = self.done("export", *options)
            copy = f"sqlite:///{SqliteFile(self.mktemp()).path}"
            self.assertIn("changed 3 modules", self.done("import", "-", "--db", copy, stdin=exported))
            self.assertEqual(self.done("export", *options, "--db", copy), exported)

    def test_export_leaves_out_what_cannot_be_a_route_and_says_so(self) -> None:
        exported = self.done("export")
        self.database.execute("INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 1, 70000)")
        ended = self.route("export")
        self.assertEqual((ended.status, ended.out), (0, exported))
        self.assertEqual(ended.error, "left out 1 row that cannot be a route: `lars db check` lists them")


class ImportTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", "10.0.0.1:80", "10.0.0.2:80")
        self.done("add", "2", "2", "10.0.0.1:80")
        self.name = self.file("routes.csv", HEADER + "1,1,10.0.0.2,80\n1,1,10.0.0.3,80\n")

    def hosts(self) -> list[str]:
        rows = self.database.transact(routes_txn)
        return [f"{modid} {cmdid} {HostAddress(ip, port)}" for modid, cmdid, ip, port in rows]

    def test_import_adds_and_removes_nothing(self) -> None:
        self.assertRegex(self.done("import", self.name), r"^changed 1 module: 1 host added, 0 removed; version \d+\n$")
        self.assertEqual(self.hosts(), ["1 1 10.0.0.1:80", "1 1 10.0.0.2:80", "1 1 10.0.0.3:80", "2 2 10.0.0.1:80"])
        self.assertRegex(self.done("import", self.name), r"^nothing to change; version \d+\n$")

    def test_replace_leaves_the_named_modules_exactly_what_the_file_says(self) -> None:
        self.assertRegex(
            self.done("import", self.name, "--replace"), r"^changed 1 module: 1 host added, 1 removed; version \d+\n$"
        )
        self.assertEqual(self.hosts(), ["1 1 10.0.0.2:80", "1 1 10.0.0.3:80", "2 2 10.0.0.1:80"])

    def test_dry_run_shows_what_would_change_and_changes_nothing(self) -> None:
        def everything() -> list[list[tuple[Any, ...]]]:
            tables = ("RouteData", "RouteVersion", "RouteChange", "RouteAudit")
            return [self.database.rows(f"SELECT * FROM {table}") for table in tables]

        before = everything()
        self.assertEqual(
            self.done("import", self.name, "--replace", "--dry-run"),
            "- (1, 1) 10.0.0.1:80\n+ (1, 1) 10.0.0.3:80\n"
            "would change 1 module: 1 host added, 1 removed (dry run: nothing was changed)\n",
        )
        self.assertEqual(everything(), before)

    def test_a_file_with_bad_lines_changes_nothing_and_each_is_a_line(self) -> None:
        before = self.hosts()
        name = self.file("bad.json", '[{"modid": 1, "cmdid": 1, "ip": "10.0.0.9", "port": 80},\n\n7,\n8]')
        ended = self.route("import", name)
        self.assertEqual((ended.status, ended.out), (2, ""))
        self.assertEqual(
            [line.split(":")[1] for line in ended.err.splitlines()], [" bad.json, line 3", " bad.json, line 4"]
        )
        self.assertEqual(self.hosts(), before)

    def test_a_module_that_would_get_too_many_hosts_is_refused_whole(self) -> None:
        lines = [f"1,1,10.1.{n // 256}.{n % 256},80" for n in range(3999)]
        name = self.file("many.csv", HEADER + "\n".join(["3,3,10.0.0.1,80", *lines]))
        before = self.hosts()
        ended = self.route("import", name)
        self.assertEqual(ended.status, 2)
        self.assertIn("module (1, 1) would have 4001 hosts; 4000 at most", ended.error)
        self.assertEqual(self.hosts(), before)
