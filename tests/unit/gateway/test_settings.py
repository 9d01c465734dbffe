"""Settings that only the gateway has."""

from twisted.trial.unittest import SynchronousTestCase

from lars.errors import LarsError
from lars.gateway.settings import GatewaySettings
from lars.settings import resolve


class GatewaySettingsTests(SynchronousTestCase):
    def resolved(self, **options: str) -> GatewaySettings:
        return resolve(GatewaySettings, options=options)

    def test_dns_can_be_off(self) -> None:
        self.assertIsNone(self.resolved(dns="").dns)
        self.assertEqual(str(self.resolved(dns="127.0.0.1:53").dns), "127.0.0.1:53")

    def test_agent_is_that_of_the_environment_unless_an_option_names_one(self) -> None:
        found = resolve(GatewaySettings, environ={"LARS_AGENT": "10.0.0.1:8888"})
        self.assertEqual(str(found.agent), "10.0.0.1:8888")

    def test_what_cannot_be_used_is_one_line(self) -> None:
        for name, text in (("dns", "7753"), ("agent", "127.0.0.1:65535"), ("domain", "a..b"), ("listen", "7781")):
            with self.subTest(name), self.assertRaises(LarsError) as raised:
                self.resolved(**{name: text})
            self.assertIn(f"--{name}", str(raised.exception))
