"""`lars route import` into a real SQLite file."""

from typing import Any

from lars.db.routes import routes_txn
from lars.route import HostAddress
from tests.unit.cli.commands.route_case import HEADER, RouteTestCase


class ImportTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", "10.0.0.1:80", "10.0.0.2:80")
        self.done("add", "2", "2", "10.0.0.1:80")
        self.name = self.file("routes.csv", HEADER + "1,1,10.0.0.2,80\n1,1,10.0.0.3,80\n")

    def hosts(self) -> list[str]:
        rows = self.database.transact(routes_txn)
        return [f"{modid} {cmdid} {HostAddress(ip, port)}" for modid, cmdid, ip, port, _record in rows]

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

    def test_records_are_shown_and_written_and_what_the_file_does_not_say_stays(self) -> None:
        name = self.file("rich.csv", "modid,cmdid,ip,port,weight,zone\n1,1,10.0.0.1,80,50,b\n1,1,10.0.0.2,80,100,\n")
        self.assertEqual(
            self.done("import", name, "--dry-run"),
            '~ (1, 1) 10.0.0.1:80: weight 100 → 50, zone "" → "b"\n'
            "would change 1 module: 0 hosts added, 0 removed, 1 altered (dry run: nothing was changed)\n",
        )
        self.done("import", name)
        self.done("import", self.name)
        exported = self.done("export")
        self.assertIn("1,1,10.0.0.1,80,50,b,,\n", exported)
        self.assertEqual(len(exported.splitlines()), 5)

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
