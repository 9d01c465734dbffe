"""A bar in a table whose length is a share, also on terminals without block characters."""

from rich.bar import Bar
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment


class ShareBar(Bar):
    """rich's Bar, made of # where the terminal's encoding is not one of Unicode."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not options.ascii_only:
            yield from super().__rich_console__(console, options)
            return
        length = round(options.max_width * self.end / self.size)
        yield Segment("#" * length + " " * (options.max_width - length), self.style)
        yield Segment.line()


def share_bar(share: float, largest: float, color: str) -> ShareBar:
    """A bar for a share, as wide as its column where the share is the `largest`, if that is not 0."""
    return ShareBar(largest or 1.0, 0, share, color=color)
