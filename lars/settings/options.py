"""The command line of a service: one twistd option for each of its settings."""

import os
from collections.abc import Sequence
from typing import Any, ClassVar

from twisted.python import usage

from lars.errors import SettingsError
from lars.settings.fields import described
from lars.settings.log_format import JSON, TEXT
from lars.settings.pid_file import pid_file, remove_stale
from lars.settings.sources import option_name, resolve
from lars.settings.values import text_of_file

USAGE_WIDTH = 220
"""Columns of --help: wide enough for each option to have one line, for grep."""


LOG_OBSERVER = "lars.runtime.log_file.log_file_observer"
JSON_OBSERVER = "lars.runtime.log_file.json_log_observer"
"""The names by which twistd finds what writes the log file, and the log as JSON."""


class ServiceOptions(usage.Options):
    """A service's twistd options: --config, and one for each of its settings.

    A subclass names its `settings_type`; after parsing, `settings` is an instance of it.
    """

    settings_type: ClassVar[type]
    log_file: ClassVar[str] = ""
    """The log file of this process, for LOG_OBSERVER."""
    optParameters: ClassVar[Sequence[Sequence[Any]]]
    settings: Any

    def __init_subclass__(cls) -> None:
        # usage.Options collects parameters from the classes, before an instance could add any
        cls.optParameters = [
            ["config", "c", None, "conf file to read first"],
            *(
                [option_name(name), None, None, f"{how.help} [default: {_default_text(default)}]"]
                for name, (how, default) in described(cls.settings_type).items()
            ),
            *(
                [_file_option(name), None, None, f"a file that holds --{option_name(name)}, which `ps` would show"]
                for name in _in_files(cls.settings_type)
            ),
        ]

    def again(self) -> list[str]:
        """The options as they were given, for another process that needs the same settings."""
        names = [option_name(name) for name in described(self.settings_type)]
        given = [f"--{name}={self[name]}" for name in names if self[name] is not None]
        return [f"--config={os.path.abspath(self['config'])}", *given] if self["config"] else given

    def getUsage(self, width: int | None = None) -> str:
        return super().getUsage(width or USAGE_WIDTH)

    def postOptions(self) -> None:
        names = described(self.settings_type)
        given = {name: self[option_name(name)] for name in names}
        try:
            given.update(self._from_files(given))
            self.settings = resolve(self.settings_type, conf=self["config"], environ=os.environ, options=given)
        except SettingsError as error:
            raise usage.UsageError(str(error)) from None
        if self.parent is not None:
            _run_as_daemons_do(self.parent, getattr(self.settings, "log_format", TEXT))

    def _from_files(self, given: dict[str, str | None]) -> dict[str, str]:
        texts = {}
        for name in _in_files(self.settings_type):
            if (path := self[_file_option(name)]) is not None:
                if given[name] is not None:
                    raise SettingsError(f"--{option_name(name)} and --{_file_option(name)}: give one of them")
                texts[name] = text_of_file(path)
        return texts


def _run_as_daemons_do(twistd: Any, log_format: str) -> None:
    """Changes twistd's options where its ways with pid and log files would surprise (docs/operations.md, daemons)."""
    plugin, in_foreground = str(twistd.subCommand), bool(twistd["nodaemon"] or twistd["debug"])
    twistd["pidfile"] = pid_file(twistd["pidfile"], plugin, in_foreground)
    remove_stale(twistd["pidfile"], plugin)
    log_file = twistd["logfile"] or ("" if in_foreground else f"{plugin}.log")
    in_file = log_file not in ("", "-")
    if (in_file or log_format == JSON) and not twistd["syslog"] and not twistd["logger"]:
        ServiceOptions.log_file = log_file
        twistd["logger"] = JSON_OBSERVER if log_format == JSON else LOG_OBSERVER


def _in_files(settings_type: type) -> list[str]:
    return [name for name, (how, _default) in described(settings_type).items() if how.in_file]


def _file_option(name: str) -> str:
    return f"{option_name(name)}-file"


def _default_text(default: object) -> str:
    return ",".join(map(str, default)) if type(default) is tuple else str(default)
