"""How a person watches the demo: a table that lives in the terminal, or plain lines where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.bar import Bar
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

STATUS_EVERY = 2.0
"""Seconds between the plain view's status lines."""


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """One node as the callers see it now; `share` of the last seconds' calls, 0 to 1."""

    name: str
    address: str
    calls: int
    failed: int
    share: float
    set_aside: bool
    failing: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """All that the view shows of one moment; `elapsed` in seconds, `rate` in calls a second."""

    elapsed: float
    rate: float
    unanswered: int
    nodes: tuple[NodeSeen, ...]


class View(Protocol):
    """Shows what happens, while entered. `tell` adds an event; `show`, several times a second, says how things are."""

    def __enter__(self) -> "View": ...
    def __exit__(self, *exc_info: object) -> None: ...
    def tell(self, elapsed: float, event: str) -> None: ...
    def show(self, scene: Scene) -> None: ...


def view_for(console: Console) -> View:
    """The table for a terminal, plain lines for anything else."""
    return TableView(console) if console.is_interactive else PlainView(console)


class PlainView:
    """Lines for a log or a pipe: each event, and a status line every STATUS_EVERY seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next_status: float | None = None

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def tell(self, elapsed: float, event: str) -> None:
        self._print(f"{event_time(elapsed)}  {event}")

    def show(self, scene: Scene) -> None:
        if self._next_status is not None and scene.elapsed >= self._next_status:
            self._print(status_line(scene))
            self._next_status = None
        if self._next_status is None:
            self._next_status = scene.elapsed + STATUS_EVERY

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class TableView:
    """A table of the nodes that is redrawn in place, and the events below it."""

    def __init__(self, console: Console) -> None:
        self._events = Table.grid(padding=(0, 2))
        self._scene = Scene(0.0, 0.0, 0, ())
        self._live = Live(self._drawn(), console=console, auto_refresh=False)

    def __enter__(self) -> "TableView":
        self._live.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._live.stop()

    def tell(self, elapsed: float, event: str) -> None:
        self._events.add_row(event_time(elapsed), Text(event))
        self._live.update(self._drawn(), refresh=True)

    def show(self, scene: Scene) -> None:
        self._scene = scene
        self._live.update(self._drawn(), refresh=True)

    def _drawn(self) -> RenderableType:
        return Group(node_table(self._scene), "", self._events)


def event_time(elapsed: float) -> str:
    """When something happened, as it stands before it; always as wide."""
    return f"{elapsed:5.1f} s"


def status_line(scene: Scene) -> str:
    """How things are, in one line."""
    nodes = ", ".join(f"{node.name} {node.share:.0%}{' set aside' if node.set_aside else ''}" for node in scene.nodes)
    failed = sum(node.failed for node in scene.nodes)
    return f"{event_time(scene.elapsed)}    {scene.rate:.0f} calls/s: {nodes}; {failed} failed so far"


def node_table(scene: Scene) -> Table:
    """The nodes, a row each; bars are on one scale, so that even shares have even lengths."""
    title = f"module (1, 1)   {scene.elapsed:.0f} s   {scene.rate:.0f} calls/s   {scene.unanswered} not served"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    table.add_column("node", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("share", justify="right", width=6)
    table.add_column("now", min_width=4, max_width=24)
    table.add_column("calls", justify="right", width=5)
    table.add_column("failed", justify="right", width=6)
    table.add_column("node", width=7)
    table.add_column("Lars", width=11)
    scale = max((node.share for node in scene.nodes), default=0.0) or 1.0
    for node in scene.nodes:
        table.add_row(*_row(node, scale))
    return table


def _row(node: NodeSeen, scale: float) -> Sequence[RenderableType]:
    colour = "yellow" if node.set_aside else "green"
    return (
        node.name,
        node.address,
        f"{node.share:.1%}",
        Bar(scale, 0, node.share, color=colour),
        str(node.calls),
        Text(str(node.failed), style="red" if node.failed else ""),
        Text("fails", style="bold red") if node.failing else Text("answers"),
        Text("set aside" if node.set_aside else "in rotation", style=colour),
    )
