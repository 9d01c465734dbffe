"""`lars conf` prints and copies what comes with Lars."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.commands.conf import SERVICES
from lars.shipped import shipped
from tests.unit.cli.command import run_here


class ConfTests(SynchronousTestCase):
    def test_show_prints_the_file(self) -> None:
        ended = run_here("conf", "show", "dns")
        self.assertEqual((ended.status, ended.out), (0, shipped("conf", "lars-dns.conf").read_text()))

    def test_copy_writes_what_is_missing_and_keeps_what_is_there(self) -> None:
        folder = Path(self.mktemp(), "etc")
        folder.mkdir(parents=True)
        (folder / "lars-web.conf").write_text("mine")
        ended = run_here("conf", "copy", str(folder))
        self.assertEqual(ended.status, 0)
        self.assertEqual((folder / "lars-web.conf").read_text(), "mine")
        self.assertIn(f"kept {folder / 'lars-web.conf'}\n", ended.out)
        others = [path.name for path in (Path(__file__).parents[4] / "conf").glob("*.conf") if "web" not in path.name]
        self.assertEqual(len(others), len(SERVICES) - 1)
        for name in ("dns", "reporter", "agent", "gateway"):
            file = shipped("conf", f"lars-{name}.conf")
            self.assertIn(f"wrote {folder / file.name}\n", ended.out)
            self.assertEqual((folder / file.name).read_text(), file.read_text())

    def test_folder_that_cannot_be_made_is_an_error_of_one_line(self) -> None:
        blocked = Path(self.mktemp())
        blocked.write_text("a file")
        ended = run_here("conf", "copy", str(blocked / "conf"))
        self.assertEqual(ended.status, 1)
        self.assertIn("give a folder that you may write to", ended.error)
