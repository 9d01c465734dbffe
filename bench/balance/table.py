"""The numbers of several policies side by side, a block a scenario."""

from collections.abc import Mapping, Sequence

COLUMNS = (
    "fail%",
    "refused%",
    "lost%",
    "lost_late%",
    "lost_after%",
    "p50",
    "p99",
    "p99.9",
    "max/mean",
    "first_burst",
    "burst",
    "aside_s",
    "aside_calls",
    "share_gone_s",
    "return_s",
    "over_aside%",
)

NAME_WIDTH, WIDTH = 20, 13


def block(rows: Sequence[Mapping[str, object]]) -> str:
    """The rows of one scenario and size. Columns that are empty in all of them are left out."""
    columns = [name for name in COLUMNS if any(row[name] is not None for row in rows)]
    first = rows[0]
    costs = "" if first["costs"] else ", no costs reported"
    title = (
        f"{first['scenario']}: {first['hosts']} hosts x {first['workers']}, {first['agents']} agents, "
        f"load {first['load']}, {first['service']}{costs}"
    )
    lines = [title, " " * NAME_WIDTH + "".join(f"{name:>{WIDTH}}" for name in columns)]
    for row in rows:
        cells = ("-" if row[name] is None else str(row[name]) for name in columns)
        lines.append(f"{row['policy']:{NAME_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells))
    return "\n".join(lines)
