"""Bars in tables."""

from io import BytesIO, TextIOWrapper

from rich.console import Console
from twisted.trial.unittest import SynchronousTestCase

from lars.cli.terminal.share_bar import share_bar


class ShareBarTests(SynchronousTestCase):
    def printed(self, share: float, largest: float, encoding: str) -> str:
        """A bar on a terminal of eight columns."""
        raw = BytesIO()
        file = TextIOWrapper(raw, encoding=encoding)
        Console(file=file, width=8).print(share_bar(share, largest, "green"))
        file.flush()
        return raw.getvalue().decode(encoding).rstrip("\n")

    def test_the_largest_share_fills_the_column(self) -> None:
        self.assertEqual(self.printed(0.5, 0.5, "utf-8"), "█" * 8)
        self.assertEqual(self.printed(0.25, 0.5, "utf-8"), "█" * 4 + " " * 4)

    def test_without_block_characters_it_is_made_of_number_signs(self) -> None:
        self.assertEqual(self.printed(0.25, 0.5, "latin-1"), "####    ")
        self.assertEqual(self.printed(0.5, 0.5, "ascii"), "########")

    def test_shares_of_zero_are_blank(self) -> None:
        for encoding in ("utf-8", "latin-1"):
            self.assertEqual(self.printed(0.0, 0.0, encoding), " " * 8)
