"""The table that `lars simulate` redraws."""

from io import StringIO

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.live_table import HostRow, LiveTable, host_table

HOSTS = (
    HostRow("10.0.0.1:80", 0.75, 1200, 0, False),
    HostRow("10.0.0.2:80", 0.25, 1, 17, True),
    HostRow("10.0.0.3:80", 0.0, 0, 0, None),
)


class HostTableTests(SynchronousTestCase):
    def setUp(self) -> None:
        console = Console(file=StringIO(), width=100, record=True)
        console.print(host_table("module (1, 1)", HOSTS, 1218, 3))
        self.text = console.export_text()

    def rows(self) -> list[list[str]]:
        """Each host's cells without its bar."""
        return [
            [cell for cell in line.split() if cell[0].isalnum()]
            for line in self.text.splitlines()
            if line.startswith("10.")
        ]

    def test_title_counts_calls_and_refusals(self) -> None:
        self.assertIn("module (1, 1)   1,218 made, 3 refused", self.text)

    def test_row_has_share_counts_and_state(self) -> None:
        first, second, unknown = self.rows()
        self.assertEqual(first, ["10.0.0.1:80", "75.0%", "1,200", "0", "healthy"])
        self.assertEqual(second, ["10.0.0.2:80", "25.0%", "1", "17", "ejected"])
        self.assertEqual(unknown, ["10.0.0.3:80", "0.0%", "0", "0"])

    def test_no_hosts_can_be_drawn(self) -> None:
        Console(file=StringIO()).print(host_table("module", (), 0, 0))


class LiveTableTests(SynchronousTestCase):
    def test_table_is_drawn_while_the_context_is_open(self) -> None:
        out = StringIO()
        with LiveTable("module (1, 1)", Console(file=out, force_terminal=True, width=100)) as table:
            table.show(HOSTS, 1218, 3)
        self.assertIn("10.0.0.2:80", out.getvalue())
