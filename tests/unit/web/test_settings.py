"""The address of the console."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import SettingsError
from lars.settings import site_url
from lars.web.settings import WebSettings, header_name, networks, new_user_rule


class UserHeaderTests(SynchronousTestCase):
    def test_header_needs_a_proxy_that_is_trusted_with_it(self) -> None:
        error = self.assertRaises(SettingsError, WebSettings, trust_user_header="X-Forwarded-User")
        self.assertIn("trust_proxy", str(error))
        WebSettings(trust_user_header="X-Forwarded-User", trust_proxy=networks("10.0.0.1"))

    def test_names_of_headers_and_rules_for_new_users(self) -> None:
        self.assertEqual([header_name(text) for text in ("", " Remote-User ")], ["", "Remote-User"])
        self.assertRaises(SettingsError, header_name, "Remote_User: x")
        self.assertEqual([new_user_rule(text) for text in ("refuse", "viewer ")], ["refuse", "viewer"])
        self.assertRaises(SettingsError, new_user_rule, "admin")


class SiteUrlTests(SynchronousTestCase):
    def test_address_has_a_scheme_and_no_slash_at_its_end(self) -> None:
        self.assertEqual(site_url(" https://lars.example/ "), "https://lars.example")
        self.assertEqual(site_url(""), "")
        error = self.assertRaises(SettingsError, site_url, "lars.example")
        self.assertIn("https://lars.example", str(error))
