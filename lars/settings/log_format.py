"""How a service writes its log, which every service shares."""

from typing import Any

from lars.errors import SettingsError
from lars.settings.fields import setting

TEXT, JSON = "text", "json"


def log_format(text: str) -> str:
    """ "text" or "json"."""
    if text not in (TEXT, JSON):
        raise SettingsError(f"{text!r} is not a log format: use {TEXT} or {JSON}")
    return text


def log_format_setting(section: str) -> Any:
    """A field `log_format`: key log_format of the service's section, LARS_LOG_FORMAT, --log-format."""
    return setting(
        TEXT,
        section,
        log_format,
        "How the log is written: text, or json for an object a line",
        environ="LARS_LOG_FORMAT",
    )
