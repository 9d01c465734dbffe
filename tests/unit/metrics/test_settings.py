"""The metrics setting: off unless it is set, and checked where it is."""

from dataclasses import dataclass
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.metrics.settings import metrics_setting
from lars.settings import resolve

PLACE = "tcp:9101:interface=127.0.0.1"


@dataclass(frozen=True, slots=True)
class Settings:
    """A service that has nothing else to set."""

    metrics: str = metrics_setting("kiosk")


class MetricsSettingTests(SynchronousTestCase):
    def conf(self, line: str) -> str:
        path = Path(self.mktemp())
        path.write_text(f"[kiosk]\n{line}\n")
        return str(path)

    def test_off_unless_it_is_set(self) -> None:
        self.assertEqual(resolve(Settings).metrics, "")

    def test_conf_file_and_option_set_it(self) -> None:
        conf = self.conf(f"metrics = {PLACE}")
        self.assertEqual(resolve(Settings, conf=conf).metrics, PLACE)
        self.assertEqual(resolve(Settings, conf=conf, options={"metrics": "tcp:1"}).metrics, "tcp:1")

    def test_empty_or_blank_is_off_and_wins_over_the_conf_file(self) -> None:
        conf = self.conf(f"metrics = {PLACE}")
        for text in ("", "  "):
            self.assertEqual(resolve(Settings, conf=conf, options={"metrics": text}).metrics, "")
        self.assertEqual(resolve(Settings, conf=self.conf("metrics =")).metrics, "")

    def test_what_is_no_endpoint_is_refused_by_name(self) -> None:
        with self.assertRaisesRegex(SettingsError, r"--metrics.*'9101:x' is not a server endpoint"):
            resolve(Settings, options={"metrics": "9101:x"})
