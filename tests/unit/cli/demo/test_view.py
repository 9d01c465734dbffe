"""What a user sees of the demo."""

from io import StringIO

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.demo.nodes import Condition
from lars.cli.demo.view import NodeRow, PlainView, Snapshot, TableView, node_table, status_line, view_for

NODES = (
    NodeRow("node 1", "127.0.0.1:1001", 500, 0, 0.6, False, Condition.SLOW),
    NodeRow("node 2", "127.0.0.1:1002", 90, 17, 0.4, True, Condition.FAILS),
)


def snapshot(elapsed: float) -> Snapshot:
    return Snapshot(elapsed, 299.6, 0, NODES)


class TableTests(SynchronousTestCase):
    def printed(self, width: int) -> str:
        console = Console(file=StringIO(), width=width, record=True)
        console.print(node_table(snapshot(7.0)))
        return console.export_text()

    def test_a_row_shows_share_calls_failures_and_state_of_a_node(self) -> None:
        line = next(line for line in self.printed(120).splitlines() if "node 2" in line)
        for part in ("127.0.0.1:1002", "40.0%", "90", "17", "fails", "ejected"):
            self.assertIn(part, line)

    def test_the_title_shows_time_rate_and_calls_not_served(self) -> None:
        self.assertIn("7 s   300 calls/s   0 not served", self.printed(120))

    def test_every_node_has_one_line_on_a_terminal_of_eighty_columns(self) -> None:
        lines = self.printed(80).splitlines()
        self.assertEqual([len(line) <= 80 for line in lines], [True] * len(lines))
        (line,) = (line for line in lines if "node 2" in line)
        self.assertIn("127.0.0.1:1002", line)
        self.assertIn("ejected", line)

    def test_an_empty_snapshot_can_be_drawn(self) -> None:
        Console(file=StringIO()).print(node_table(Snapshot(0, 0, 0, ())))


class PlainViewTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out = StringIO()
        self.view = PlainView(Console(file=self.out, width=40))

    def test_an_event_is_one_line_with_its_time_however_long(self) -> None:
        self.view.add_event(6.02, "node [3] starts to fail: it closes connections without an answer")
        self.assertEqual(
            self.out.getvalue(), "  6.0 s  node [3] starts to fail: it closes connections without an answer\n"
        )

    def test_the_status_comes_every_two_seconds(self) -> None:
        for tenth in range(50):
            self.view.show(snapshot(tenth / 10))
        self.assertEqual(self.out.getvalue().count("calls/s"), 2)

    def test_the_status_shows_shares_and_ejected_nodes(self) -> None:
        self.assertEqual(
            status_line(snapshot(4.0)),
            "  4.0 s    300 calls/s: node 1 60%, node 2 40% (ejected); 17 failed so far",
        )


class ChoiceTests(SynchronousTestCase):
    def test_a_terminal_gets_the_table(self) -> None:
        console = Console(file=StringIO(), force_terminal=True, force_interactive=True)
        self.assertIsInstance(view_for(console), TableView)

    def test_a_pipe_gets_lines(self) -> None:
        self.assertIsInstance(view_for(Console(file=StringIO())), PlainView)

    def test_the_table_stays_below_its_events(self) -> None:
        out = StringIO()
        with view_for(Console(file=out, force_terminal=True, force_interactive=True, width=100)) as view:
            view.show(snapshot(6.0))
            view.add_event(6.0, "node 2 starts to fail")
        drawn_before, _event, drawn_after = out.getvalue().partition("node 2 starts to fail")
        self.assertIn("127.0.0.1:1002", drawn_before)
        self.assertIn("127.0.0.1:1002", drawn_after)
