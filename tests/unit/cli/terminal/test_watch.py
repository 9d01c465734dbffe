"""What `--watch` draws on a terminal."""

from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.watch import frame


def drawn(text: str, height: int) -> list[str]:
    """The lines on the screen; they end where the cursor stands below them."""
    shown = frame(text, height)
    assert shown.startswith("\x1b[?7l\x1b[H"), "it begins at the top, and cuts off long lines"
    assert shown.endswith("\x1b[J\x1b[?7h"), "it erases what is left below, and nothing before that"
    return shown[8:-8].replace("\x1b[K", "").split("\r\n")[:-1]


class FrameTests(SynchronousTestCase):
    def test_a_text_that_fits_is_shown_whole(self) -> None:
        self.assertEqual(drawn("title\n\nHOST\na", 5), ["title", "", "HOST", "a"])

    def test_of_a_longer_text_the_first_lines_are_shown_and_how_many_are_left_out(self) -> None:
        text = "\n".join(["HOST", *"abcdefgh"])
        self.assertEqual(drawn(text, 5), ["HOST", "a", "b", "and 6 more lines than this terminal shows"])

    def test_each_line_erases_what_was_to_the_right_of_it(self) -> None:
        self.assertEqual(frame("a\nb", 24).count("\x1b[K\r\n"), 2)

    def test_nothing_is_erased_before_it_is_written_again(self) -> None:
        self.assertNotIn("\x1b[2J", frame("a", 24))

    def test_a_terminal_without_a_height_gets_a_line(self) -> None:
        self.assertEqual(len(drawn("a\nb\nc", 0)), 1)
