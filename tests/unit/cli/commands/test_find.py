"""`lars find` in a real SQLite file."""

from tests.unit.cli.command import Ended, run
from tests.unit.cli.commands.route_case import RouteTestCase


class FindTests(RouteTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.done("add", "1", "1", "10.0.0.5:80", "10.0.0.6:80")
        self.done("add", "2", "1", "10.0.0.5:8080")
        self.database.execute("INSERT INTO ModIDConfig (modid, content) VALUES (1, 'pay')")

    def find(self, *given: str) -> Ended:
        return run("find", *given, cwd=self.folder)

    def test_address_is_found_in_all_modules(self) -> None:
        self.route("drain", "2", "1", "10.0.0.5:8080", "--reason", "new disk")
        lines = [" ".join(line.split()) for line in self.find("10.0.0.5").out.splitlines()]
        self.assertEqual(
            lines,
            [
                "MODID CMDID NAME HOST WEIGHT ZONE STATE",
                "1 1 pay 10.0.0.5:80 100 - active",
                "2 1 - 10.0.0.5:8080 0 - draining: new disk",
            ],
        )

    def test_port_narrows_it(self) -> None:
        place = {"ip": "10.0.0.5", "port": 80, "weight": 100, "zone": "", "draining": False}
        self.assertEqual(self.find("10.0.0.5:80", "--json").json, [{"modid": 1, "cmdid": 1, "name": "pay", **place}])

    def test_name_or_number_finds_modules(self) -> None:
        found = [{"modid": 1, "cmdid": 1, "name": "pay", "hosts": 2}]
        for text in ("pa", "pay"):
            self.assertEqual(self.find(text, "--json").json, found)
        self.assertEqual(" ".join(self.find("2").out.split()), "MODID CMDID NAME HOSTS 2 1 - 1")

    def test_nothing_found_is_an_error(self) -> None:
        for text in ("10.0.0.7", "10.0.0.5:81", "shop"):
            ended = self.find(text)
            self.assertEqual((ended.status, ended.out), (1, ""))
            self.assertIn(text, ended.error)
