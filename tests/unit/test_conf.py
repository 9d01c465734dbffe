"""The conf files that come with Lars name every setting with its default."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import AgentSettings
from lars.dns.settings import DnsSettings
from lars.reporter.settings import ReporterSettings
from lars.settings import described, read_conf, resolve
from lars.shipped import shipped
from lars.web.settings import WebSettings

SERVICES: dict[str, Any] = {
    "lars-dns.conf": DnsSettings,
    "lars-reporter.conf": ReporterSettings,
    "lars-agent.conf": AgentSettings,
    "lars-web.conf": WebSettings,
}


class ConfFileTests(SynchronousTestCase):
    def test_every_setting_is_named(self) -> None:
        for name, settings_type in SERVICES.items():
            keys = {(how.section, how.key or field) for field, (how, _) in described(settings_type).items()}
            self.assertEqual(set(read_conf(str(shipped("conf", name)))), keys, name)

    def test_every_value_is_the_default(self) -> None:
        for name, settings_type in SERVICES.items():
            settings, defaults = resolve(settings_type, conf=str(shipped("conf", name))), resolve(settings_type)
            for field in described(settings_type):
                if field != "db":  # made absolute once it is read
                    self.assertEqual(getattr(settings, field), getattr(defaults, field), f"{name}: {field}")
