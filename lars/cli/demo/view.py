"""The demo's output: a table that is redrawn in the terminal, or plain lines without one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lars.cli.demo.nodes import Condition
from lars.cli.terminal.host_state import STATE_STYLE, host_state
from lars.cli.terminal.share_bar import share_bar

STATUS_EVERY = 2.0
"""Seconds between the status lines of the plain view."""

CONDITION_STYLE = {Condition.ANSWERS: "", Condition.FAILS: "bold red", Condition.SLOW: "yellow"}


@dataclass(frozen=True, slots=True)
class NodeRow:
    """One node as its callers see it; `share` is of the calls in the last seconds, 0 to 1."""

    name: str
    address: str
    calls: int
    failed: int
    share: float
    ejected: bool
    condition: Condition


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the view shows at one moment; `elapsed` in seconds, `rate` in calls a second."""

    elapsed: float
    rate: float
    unanswered: int
    nodes: tuple[NodeRow, ...]


class View(Protocol):
    """Shows the demo while its context is open."""

    def __enter__(self) -> "View": ...
    def __exit__(self, *exc_info: object) -> None: ...

    def add_event(self, elapsed: float, event: str) -> None:
        """Shows an event, with the seconds since the start."""

    def show(self, snapshot: Snapshot) -> None:
        """Shows the current state; called several times a second."""


def view_for(console: Console) -> View:
    """A table for a terminal, plain lines for anything else."""
    return TableView(console) if console.is_interactive else PlainView(console)


class PlainView(View):
    """Lines for a log or a pipe: each event, and a status line every STATUS_EVERY seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_status: float | None = None

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def add_event(self, elapsed: float, event: str) -> None:
        self._print(f"{event_time(elapsed)}  {event}")

    def show(self, snapshot: Snapshot) -> None:
        if self._next_status is not None and snapshot.elapsed >= self._next_status:
            self._print(status_line(snapshot))
            self._next_status = None
        if self._next_status is None:
            self._next_status = snapshot.elapsed + STATUS_EVERY

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class TableView(View):
    """A table of the nodes, redrawn in place, with the events above it: these may be more lines than the screen has."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(_below_events(Snapshot(0.0, 0.0, 0, ())), console=console, auto_refresh=False)

    def __enter__(self) -> "TableView":
        self._live.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def add_event(self, elapsed: float, event: str) -> None:
        line = Table.grid(padding=(0, 2))
        line.add_row(event_time(elapsed), Text(event))
        self._console.print(line)

    def show(self, snapshot: Snapshot) -> None:
        self._live.update(_below_events(snapshot), refresh=True)


def _below_events(snapshot: Snapshot) -> RenderableType:
    return Group("", node_table(snapshot))


def event_time(elapsed: float) -> str:
    """The time in front of an event, of constant width."""
    return f"{elapsed:5.1f} s"


def status_line(snapshot: Snapshot) -> str:
    """A snapshot as one line."""
    nodes = ", ".join(f"{node.name} {node.share:.0%}{' (ejected)' if node.ejected else ''}" for node in snapshot.nodes)
    failed = sum(node.failed for node in snapshot.nodes)
    return f"{event_time(snapshot.elapsed)}    {snapshot.rate:.0f} calls/s: {nodes}; {failed} failed so far"


def node_table(snapshot: Snapshot) -> Table:
    """One row per node; the bars share one scale, so that equal shares have equal lengths."""
    title = f"module (1, 1)   {snapshot.elapsed:.0f} s   {snapshot.rate:.0f} calls/s   {snapshot.unanswered} not served"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("node", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("share", justify="right", width=6)
    table.add_column("now", min_width=4, max_width=24)
    table.add_column("calls", justify="right", width=5)
    table.add_column("failed", justify="right", width=6)
    table.add_column("node", width=7)
    table.add_column("Lars", width=11)
    largest = max((node.share for node in snapshot.nodes), default=0.0)
    for node in snapshot.nodes:
        table.add_row(*_row(node, largest))
    return table


def _row(node: NodeRow, largest: float) -> Sequence[RenderableType]:
    state = host_state(node.ejected)
    return (
        node.name,
        node.address,
        f"{node.share:.1%}",
        share_bar(node.share, largest, STATE_STYLE[state]),
        str(node.calls),
        Text(str(node.failed), style="red" if node.failed else ""),
        Text(node.condition.value, style=CONDITION_STYLE[node.condition]),
        Text(state, style=STATE_STYLE[state]),
    )
