"""A live picture of a module's hosts on a terminal: shares, counts and states."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

from rich.bar import Bar
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text


class HostDrawn(NamedTuple):
    """One host: its share of the last calls, 0 to 1, its counts, and whether it is set aside, None if not known."""

    address: str
    share: float
    succ: int
    err: int
    set_aside: bool | None


class LivePicture:
    """Redrawn in place while entered."""

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True)

    @classmethod
    def for_terminal(cls, title: str) -> "LivePicture | None":
        """A picture on standard error, if that is a terminal."""
        return cls(title, Console(stderr=True)) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, traceback)

    def show(self, hosts: Sequence[HostDrawn], calls: int, refused: int) -> None:
        """Draws how things are now."""
        self._live.update(drawn(self._title, hosts, calls, refused), refresh=True)


def drawn(title: str, hosts: Sequence[HostDrawn], calls: int, refused: int) -> Table:
    """The picture; bars are on one scale, so that even shares have even lengths."""
    heading = f"{title}   {calls:,} made, {refused:,} refused"
    table = Table(title=heading, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("host", no_wrap=True)
    table.add_column("share", justify="right", width=6)
    table.add_column("now", min_width=4, max_width=24)
    table.add_column("succ", justify="right")
    table.add_column("err", justify="right")
    table.add_column("Lars", width=11)
    scale = max((host.share for host in hosts), default=0.0) or 1.0
    for host in hosts:
        colour = "yellow" if host.set_aside else "green"
        state = "" if host.set_aside is None else "set aside" if host.set_aside else "in rotation"
        table.add_row(
            host.address,
            f"{host.share:.1%}",
            Bar(scale, 0, host.share, color=colour),
            f"{host.succ:,}",
            Text(f"{host.err:,}", style="red" if host.err else ""),
            Text(state, style=colour),
        )
    return table
