"""A table of a module's hosts that is redrawn in place: shares, counts and states."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lars.cli.terminal.host_state import STATE_STYLE, host_state
from lars.cli.terminal.share_bar import share_bar


class HostRow(NamedTuple):
    """One host: its share of the last calls, 0 to 1, its counts, and whether it is ejected, None if unknown."""

    address: str
    share: float
    succ: int
    err: int
    ejected: bool | None


class LiveTable:
    """Redrawn in place, and removed on exit; a context manager."""

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._live = Live(console=console, auto_refresh=False, transient=True)

    @classmethod
    def for_terminal(cls, title: str) -> "LiveTable | None":
        """A table on standard error, or None if that is no terminal."""
        return cls(title, Console(stderr=True)) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, traceback)

    def show(self, hosts: Sequence[HostRow], calls: int, refused: int) -> None:
        """Redraws the table."""
        self._live.update(host_table(self._title, hosts, calls, refused), refresh=True)


def host_table(title: str, hosts: Sequence[HostRow], calls: int, refused: int) -> Group:
    """The table; its bars share one scale, so that equal shares have equal lengths."""
    heading = one_line(f"{title}   {calls:,} made, {refused:,} refused", "bold")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("host", no_wrap=True)
    table.add_column("share", justify="right", width=6)
    table.add_column("now", min_width=4, max_width=24)
    table.add_column("succ", justify="right")
    table.add_column("err", justify="right")
    table.add_column("Lars", width=11)
    largest = max((host.share for host in hosts), default=0.0)
    for host in hosts:
        state = host_state(bool(host.ejected))
        color = STATE_STYLE[state]
        table.add_row(
            host.address,
            f"{host.share:.1%}",
            share_bar(host.share, largest, color),
            f"{host.succ:,}",
            Text(f"{host.err:,}", style="red" if host.err else ""),
            Text("" if host.ejected is None else state, style=color),
        )
    return Group(heading, table)


def one_line(text: str, style: str) -> Text:
    """A line above or below a table; a table's own title would be wrapped to the width of its columns."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
