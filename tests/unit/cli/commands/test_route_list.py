"""`lars route list` and `export` of a real SQLite file."""

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
        plain = {"weight": 100, "zone": "", "tags": [], "note": ""}
        self.assertEqual(listed.json[0], {**plain, "modid": 1, "cmdid": 1, "ip": "10.0.0.9", "port": 80})
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
