"""The conf files that come with Lars name every setting with its default."""

import re
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.agent.settings import AgentSettings
from lars.balancing.classic import ClassicSettings
from lars.dns.settings import DnsSettings
from lars.gateway.settings import GatewaySettings
from lars.reporter.settings import ReporterSettings
from lars.settings import described, read_conf, resolve
from lars.shipped import shipped
from lars.web.settings import WebSettings

SERVICES: dict[str, Any] = {
    "lars-dns.conf": DnsSettings,
    "lars-reporter.conf": ReporterSettings,
    "lars-agent.conf": AgentSettings,
    "lars-web.conf": WebSettings,
    "lars-gateway.conf": GatewaySettings,
}


CLASSIC = frozenset(ClassicSettings.__dataclass_fields__)
"""Keys that stand in a comment, since setting one of them chooses a policy."""


class ConfFileTests(SynchronousTestCase):
    def with_comments_read(self, name: str) -> str:
        """A copy of a shipped conf file that sets the keys of CLASSIC as its comments have them."""
        text = shipped("conf", name).read_text(encoding="utf-8")
        path = Path(self.mktemp())
        path.write_text(re.sub(rf"^# (?=({'|'.join(CLASSIC)}) = )", "", text, flags=re.MULTILINE), encoding="utf-8")
        return str(path)

    def test_every_setting_is_named(self) -> None:
        for name, settings_type in SERVICES.items():
            keys = {(how.section, how.key or field) for field, (how, _) in described(settings_type).items()}
            self.assertEqual(set(read_conf(self.with_comments_read(name))), keys, name)

    def test_keys_that_choose_a_policy_are_comments(self) -> None:
        path = str(shipped("conf", "lars-agent.conf"))
        self.assertEqual({key for _section, key in read_conf(path)} & CLASSIC, set())
        self.assertEqual(resolve(AgentSettings, conf=path).default_policy, "adaptive")

    def test_every_value_is_the_default(self) -> None:
        for name, settings_type in SERVICES.items():
            settings, defaults = resolve(settings_type, conf=self.with_comments_read(name)), resolve(settings_type)
            for field in described(settings_type):
                if field != "db":  # made absolute once it is read
                    self.assertEqual(getattr(settings, field), getattr(defaults, field), f"{name}: {field}")
