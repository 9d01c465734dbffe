"""The log's format, and what it makes of twistd's options."""

from dataclasses import dataclass
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings import ServiceOptions, log_format_setting
from lars.settings.log_format import log_format
from lars.settings.options import JSON_OBSERVER, LOG_OBSERVER


@dataclass(frozen=True, slots=True)
class Settings:
    """A service that has no other setting."""

    log_format: str = log_format_setting("kiosk")


class Options(ServiceOptions):
    settings_type = Settings


class LogFormatTests(SynchronousTestCase):
    def logger(self, *arguments: str, **twistd: Any) -> str | None:
        """The observer that twistd gets."""
        parent: dict[str, Any] = {"pidfile": "", "nodaemon": True, "debug": False, "logfile": None, "syslog": False}
        parent |= {"logger": None, **twistd}
        options = Options()
        options.parent = type("Twistd", (dict,), {"subCommand": "kiosk"})(parent)
        options.parseOptions(arguments)
        logger: str | None = options.parent["logger"]
        return logger

    def test_text_is_twistds_own_on_a_terminal_and_a_file_of_ours(self) -> None:
        self.assertEqual((self.logger(), self.logger(logfile="x.log")), (None, LOG_OBSERVER))

    def test_json_is_written_to_both(self) -> None:
        self.assertEqual(self.logger("--log-format=json"), JSON_OBSERVER)
        self.assertEqual(self.logger("--log-format=json", logfile="x.log"), JSON_OBSERVER)

    def test_what_twistd_was_given_goes_first(self) -> None:
        self.assertEqual(self.logger("--log-format=json", logger="my.observer"), "my.observer")

    def test_another_format_is_refused(self) -> None:
        with self.assertRaisesRegex(SettingsError, "'xml' is not a log format: use text or json"):
            log_format("xml")
