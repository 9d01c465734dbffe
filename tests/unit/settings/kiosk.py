"""A service with one setting of each kind, and tests that write its conf file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings import Legacy, endpoint, integer, legacy_key, legacy_listen, seconds, setting


@dataclass(frozen=True, slots=True)
class Settings:
    """One setting of each kind."""

    listen: str = setting("tcp:1000", "kiosk", endpoint, "Where", legacy=legacy_listen(1000))
    max_visitors: int = setting(5, "kiosk", integer(1, 99), "How many", environ="KIOSK_VISITORS")
    patience: float = setting(1.5, "kiosk", seconds, "How long", key="wait", legacy=legacy_key("old", "waitTime"))
    database: str = setting(
        "none",
        "kiosk",
        str,
        "Which",
        legacy=(Legacy((("db", "db_user"), ("db", "db_passwd")), lambda t: "@".join(t)),),
        in_file=True,
    )


class ConfCase(SynchronousTestCase):
    """Tests that write a conf file."""

    def conf(self, text: str | bytes) -> str:
        path = Path(self.mktemp())
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def assert_refused(self, action: Callable[[], object], *parts: str) -> None:
        """It raises a SettingsError of one line that holds all the parts."""
        with self.assertRaises(SettingsError) as caught:
            action()
        text = str(caught.exception)
        for part in parts:
            self.assertIn(part, text)
        self.assertNotIn("\n", text)
