"""JSON and tables on standard output; a terminal gets tables with rules, a script gets aligned text."""

import json
import sys
from collections.abc import Sequence
from typing import Any

import click


def print_json(value: Any) -> None:
    """Prints a value as JSON; a list has one element per line."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """What print_json prints."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"  {json.dumps(element)}" for element in value) + "\n]"
    return json.dumps(value)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints rows below the column names; numbers are aligned right. Never truncates a cell."""
    click.echo(table_text(columns, rows))


def table_text(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """What print_table prints: with rules and bold names if standard output is a terminal that is wide enough."""
    numeric = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
    on_terminal = sys.stdout is not None and sys.stdout.isatty()
    return (on_terminal and _drawn(columns, rows, numeric)) or aligned(columns, rows, numeric)


def aligned(columns: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[bool]) -> str:
    """The table as plain text, two spaces between columns."""
    lines = [tuple(columns), *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        ).rstrip()
        for line in lines
    )


def _drawn(columns: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[bool]) -> str:
    """The table with rules; empty if it is wider than the terminal."""
    from rich.box import SIMPLE_HEAD  # not needed by scripts, and slow to load
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name, right in zip(columns, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(str, row))
    if console.measure(table, options=console.options.update(max_width=10_000)).maximum > console.width:
        return ""
    with console.capture() as captured:
        console.print(table)
    return captured.get().rstrip("\n")


def counted(number: int, what: str) -> str:
    """ "1 host", "2 hosts"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
