"""Rows of RouteData without weights and zones, for tests."""

from collections.abc import Iterable

from lars.host_record import DEFAULT_WEIGHT
from lars.route import RouteRow

Plain = tuple[int, int, int, int]
"""modid, cmdid, ip, port."""


def plain_rows(rows: Iterable[Plain]) -> list[RouteRow]:
    """The rows as lars-dns reads them where nothing but the address was given."""
    return [(*row, DEFAULT_WEIGHT, "") for row in rows]
