"""The settings of lars-reporter that follow from others; tests/unit/test_conf.py covers each key."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.reporter.settings import ReporterSettings
from lars.settings import resolve


class ReporterSettingsTests(SynchronousTestCase):
    def test_alarms_and_pruning_have_connections_of_their_own(self) -> None:
        settings: ReporterSettings = resolve(ReporterSettings, options={"db_thread_cnt": "5"})
        self.assertEqual(settings.threads, 7)

    def test_default_rules_hold_while_none_is_written(self) -> None:
        def names(conf: str = "", **options: str) -> list[str]:
            path = self.mktemp()
            Path(path).write_text(conf, encoding="utf-8")
            settings: ReporterSettings = resolve(ReporterSettings, conf=path, options=options)
            return [rule.name for rule in settings.rules]

        self.assertEqual(names(), ["module-down", "module-errors"])
        self.assertEqual(names("[alarm mine]\nwhat = no_idle_host\n"), ["mine"])
        self.assertEqual(names(default_alarms="module-down"), ["module-down"])
        self.assertEqual(names(default_alarms=""), [])
        with self.assertRaisesRegex(SettingsError, "'x' is no default rule"):
            names(default_alarms="x")

    def test_values_out_of_range_are_refused(self) -> None:
        for field, text in (("db_thread_cnt", "0"), ("max_pending_rows", "999"), ("history_days", "0")):
            self.assertRaises(SettingsError, resolve, ReporterSettings, options={field: text})
