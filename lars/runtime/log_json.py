"""A log event as one line of JSON (docs/operations.md, JSON logs)."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from twisted.logger import LogEvent, LogLevel, formatEvent
from twisted.python.failure import Failure

_OWN = frozenset({"format", "isError", "message", "printed", "system", "time", "failure", "why", "lineno", "pathname"})
"""Keys of Twisted's own, also of its older log; those of the newer one begin with log_."""

_LEVELS = {LogLevel.debug: "debug", LogLevel.info: "info", LogLevel.warn: "warn", LogLevel.error: "error"}


def json_line(event: LogEvent) -> str:
    """The line, with its end.

    A line that a worker of the agent has written as JSON is passed on as it is, with the shard that it is from.
    """
    of_worker = _of_worker(event)
    return json.dumps(of_worker or _object(event), ensure_ascii=False) + "\n"


def _object(event: LogEvent) -> dict[str, Any]:
    failure = event.get("log_failure")
    written: dict[str, Any] = {
        "time": datetime.fromtimestamp(event.get("log_time", 0.0), UTC).isoformat(timespec="milliseconds"),
        "level": _LEVELS.get(event.get("log_level", LogLevel.info), "critical"),
        "logger": str(event.get("log_namespace", "")),
        "message": formatEvent(event),
    }
    if fields := {key: _plain(value) for key, value in event.items() if _is_field(key)}:
        written["fields"] = fields
    if isinstance(failure, Failure):
        written["traceback"] = failure.getTraceback()
    return written


def _is_field(key: str) -> bool:
    return not key.startswith(("log_", "_")) and key not in _OWN


def _plain(value: object) -> object:
    """A value as JSON has it; as text where JSON has nothing of the kind."""
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def _of_worker(event: LogEvent) -> Mapping[str, Any] | None:
    """What a supervised process wrote as JSON, as ProcessMonitor logs its lines; None for anything else."""
    line = event.get("line")
    if "tag" not in event or not isinstance(line, str) or not line.startswith("{"):
        return None
    try:
        return {**json.loads(line), "process": str(event["tag"])}
    except ValueError:
        return None
