"""Lengths of time as people type them: 90s, 30m, 2h, 1d 12h; pure."""

import re

from lars.errors import SettingsError

_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_SECONDS = (86_400, 3600, 60, 1)


def duration(text: str, most: int) -> int:
    """The seconds of a text such as 1h30m: 1 to `most`, which is whole days. Raises SettingsError."""
    parts = _DURATION.fullmatch("".join(text.lower().split()))
    seconds = sum(int(n or 0) * unit for n, unit in zip(parts.groups(), _SECONDS, strict=True)) if parts else 0
    if not 0 < seconds <= most:
        raise SettingsError(
            f"{text[:80]!r} is not a time such as 90s, 30m, 2h or 1d12h, of at most {most // 86_400} days"
        )
    return seconds
