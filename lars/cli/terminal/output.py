"""JSON and tables on standard output; a terminal gets tables with rules, a script gets aligned text."""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from textwrap import wrap
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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, fold: bool = True) -> None:
    """Prints rows below the column names; numbers are aligned right. Never truncates a cell.

    Args:
        columns: their names.
        rows: the cells.
        fold: whether blanks in cells may become line ends where the terminal is too narrow.
    """
    click.echo(table_text(columns, rows, fold=fold))


def table_text(columns: Sequence[str], rows: Sequence[Sequence[object]], *, fold: bool = True) -> str:
    """What print_table prints: with rules and bold names if standard output is a terminal that is wide enough."""
    numeric = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(columns))]
    if sys.stdout is None or not sys.stdout.isatty():
        return aligned(columns, rows, numeric)
    if drawn := _drawn(columns, rows, numeric):
        return drawn
    room = shutil.get_terminal_size().columns
    return (fold and folded(columns, rows, numeric, room)) or aligned(columns, rows, numeric)


def aligned(columns: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[bool]) -> str:
    """The table as plain text, two spaces between columns."""
    lines = [tuple(columns), *(tuple(map(str, row)) for row in rows)]
    widths = _widths(lines)
    return "\n".join(_line(line, widths, numeric) for line in lines)


def folded(columns: Sequence[str], rows: Sequence[Sequence[object]], numeric: Sequence[bool], room: int) -> str:
    """The table as `aligned` has it, with names and cells on several lines where that makes it at most `room` wide.

    Empty if it is wider even so: no word is broken.
    """
    lines = [tuple(columns), *(tuple(map(str, row)) for row in rows)]
    widths = _widths(lines)
    words = _widths([max(cell.split(), key=len, default="") for cell in line] for line in lines)
    for _ in range(sum(widths) + 2 * (len(widths) - 1) - room):
        foldable = [(width, i) for i, width in enumerate(widths) if width > words[i]]
        if not foldable:
            return ""
        widths[max(foldable)[1]] -= 1
    parts = (part for line in lines for part in zip_longest(*map(_wrapped, line, widths), fillvalue=""))
    return "\n".join(_line(part, widths, numeric) for part in parts)


def _wrapped(cell: str, width: int) -> list[str]:
    return wrap(cell, width, break_long_words=False, break_on_hyphens=False) or [""]


def _widths(lines: Iterable[Sequence[str]]) -> list[int]:
    return [max(map(len, cells)) for cells in zip(*lines, strict=True)]


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    return "  ".join(
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    ).rstrip()


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
