"""The address of the console."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings import site_url


class SiteUrlTests(SynchronousTestCase):
    def test_address_has_a_scheme_and_no_slash_at_its_end(self) -> None:
        self.assertEqual(site_url(" https://lars.example/ "), "https://lars.example")
        self.assertEqual(site_url(""), "")
        error = self.assertRaises(SettingsError, site_url, "lars.example")
        self.assertIn("https://lars.example", str(error))
