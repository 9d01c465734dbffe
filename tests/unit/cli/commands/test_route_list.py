"""`lars route list` and `export` of a real SQLite file."""

import time

from tests.unit.cli.commands.route_case import HEADER, RouteTestCase
from tests.unit.cli.database import SqliteFile


class ListTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        text = HEADER + "1,1,10.0.0.9,80\n1,1,10.0.0.10,80\n1,2,10.0.0.1,65535\n20,1,10.0.0.1,1\n"
        self.done("import", "-", stdin=text)

    def test_list_is_aligned_and_can_be_narrowed(self) -> None:
        self.assertEqual(
            self.done("list"),
            "MODID  CMDID  HOST            WEIGHT  ZONE  STATE\n"
            "    1      1  10.0.0.9:80        100  -     active\n"
            "    1      1  10.0.0.10:80       100  -     active\n"
            "    1      2  10.0.0.1:65535     100  -     active\n"
            "   20      1  10.0.0.1:1         100  -     active\n",
        )
        self.assertEqual(len(self.done("list", "1").splitlines()), 4)
        self.assertEqual(len(self.done("list", "1", "2").splitlines()), 2)
        self.assertEqual(len(self.done("list", "7").splitlines()), 1)

    def test_module_may_be_named(self) -> None:
        self.database.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'pay')")
        self.database.execute("INSERT INTO CmdIDConfig (cmdid, content) VALUES (2, 'orders'), (3, 'orders')")
        for words in (["pay.orders"], ["pay", "orders"], ["1", "orders"]):
            self.assertEqual(self.done("list", *words), self.done("list", "1", "2"), words)
        self.assertEqual(self.done("list", "pay"), self.done("list", "1"))
        self.assertEqual(self.done("add", "pay.orders", "10.0.0.2:80").split(";")[0], "added 1 host to (1, 2)")
        unknown = self.route("list", "pya.orders")
        self.assertEqual((unknown.status, unknown.error), (1, "no modid is named 'pya': did you mean 'pay'?"))

    def test_json_of_list_and_export_is_what_import_reads(self) -> None:
        listed = self.route("list", "--json")
        plain = {"weight": 100, "zone": "", "tags": [], "note": ""}
        exported = {**plain, "modid": 1, "cmdid": 1, "ip": "10.0.0.9", "port": 80}
        self.assertEqual(listed.json[0], {**exported, "drain": None})
        self.assertEqual(len(listed.json), 4)
        self.assertEqual(self.route("export", "--json").json[0], exported)
        self.assertEqual(self.done("export", "--format", "json"), self.done("export", "--json"))
        self.assertEqual(self.route("list", "7", "--json").json, [])
        for options in (["list"], ["export"]):
            copy = f"sqlite:///{SqliteFile(self.mktemp()).path}"
            self.done("import", "-", "--db", copy, stdin=self.done(*options, "--json"))
            self.assertEqual(self.done("list", "--json", "--db", copy), listed.out)

    def test_list_shows_weight_zone_and_drain(self) -> None:
        self.done("set", "1", "1", "10.0.0.9:80", "weight=50", "zone=b")
        until = int(time.time()) + 86_400
        self.done("drain", "1", "1", "10.0.0.9:80", "--for", "24h", "--reason", "kernel update")
        lines = self.done("list", "1", "1").splitlines()
        day = r"\d{4}-\d\d-\d\d \d\d:\d\d"
        self.assertRegex(lines[1], rf" 10\.0\.0\.9:80 +0  b +draining until {day}: kernel update$")
        drain = self.route("list", "1", "1", "--json").json[0]["drain"]
        self.assertAlmostEqual(drain.pop("until") // 60, until // 60, -1)
        self.assertEqual(drain, {"reason": "kernel update", "weight": 50})

    def test_what_list_prints_of_a_draining_host_ends_no_drain_when_it_is_imported(self) -> None:
        self.done("drain", "1", "1", "10.0.0.9:80")
        listed = self.done("list", "--json")
        self.assertIn("nothing to change", self.done("import", "-", stdin=listed))
        self.done("undrain", "1", "1", "10.0.0.9:80")
        self.assertIn("nothing to change", self.done("import", "-", stdin=listed))

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
