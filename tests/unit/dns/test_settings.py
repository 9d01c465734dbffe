"""The settings of lars-dns: defaults that fit each other, and the keys of the C++ conf file."""

from twisted.trial.unittest import SynchronousTestCase

from lars.dns.settings import DnsSettings


class DnsSettingsTests(SynchronousTestCase):
    def test_defaults_fit_each_other(self) -> None:
        settings = DnsSettings()
        self.assertLess(settings.poll_interval, settings.reload_interval)
        self.assertGreater(settings.fresh_time, settings.reload_interval)
        self.assertTrue(0 < settings.protect_ratio < 1)
        self.assertGreaterEqual(settings.change_age, 86_400)
