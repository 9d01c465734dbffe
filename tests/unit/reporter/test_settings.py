"""The settings of lars-reporter that follow from others; tests/unit/test_conf.py covers each key."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.reporter.settings import ReporterSettings
from lars.settings import resolve


class ReporterSettingsTests(SynchronousTestCase):
    def test_alarms_and_pruning_have_connections_of_their_own(self) -> None:
        settings: ReporterSettings = resolve(ReporterSettings, options={"db_thread_cnt": "5"})
        self.assertEqual(settings.threads, 7)

    def test_values_out_of_range_are_refused(self) -> None:
        for field, text in (("db_thread_cnt", "0"), ("max_pending_rows", "999"), ("history_days", "0")):
            self.assertRaises(SettingsError, resolve, ReporterSettings, options={field: text})
