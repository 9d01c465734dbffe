"""The texts of the settings of who may use a port."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.networks import ANY
from lars.runtime.admission_settings import some_networks


class SomeNetworksTests(SynchronousTestCase):
    def test_any_and_networks_are_taken_and_nothing_is_refused(self) -> None:
        self.assertEqual(some_networks(" any "), ANY)
        self.assertIn("10.1.1.1", some_networks("10.0.0.0/8"))
        with self.assertRaisesRegex(SettingsError, "no network is named"):
            some_networks("")
