"""The reference of the settings in docs/ has every key, as the command line and the conf files have them."""

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from lars.settings import described
from lars.settings.sources import option_name

DOCS = Path(__file__).parents[2] / "docs"
TAPS = (
    "lars.dns.tap",
    "lars.reporter.tap",
    "lars.agent.tap",
    "lars.web.tap",
    "lars.gateway.tap",
    "lars.stack.tap",
)


class SettingsReference(SynchronousTestCase):
    """docs/reference/settings.md, and the tables that are written into it."""

    def setUp(self) -> None:
        self.patch(sys, "path", [str(DOCS / "_ext"), *sys.path])
        self.tables: Any = import_module("settings_tables")
        self.page = (DOCS / "reference" / "settings.md").read_text(encoding="utf-8")

    def test_every_service_is_in_the_page(self) -> None:
        self.assertEqual(sorted(re.findall(r"\{lars-settings\} (\S+)", self.page)), sorted(TAPS))

    def test_every_setting_has_its_key_option_default_and_help(self) -> None:
        for tap in TAPS:
            options = import_module(tap).Options
            usage = " ".join(options().getUsage().split())
            text = "\n".join(self.tables.markdown(options.settings_type))
            for name, (how, default) in described(options.settings_type).items():
                shown = self.tables.default_text(default)
                with self.subTest(f"{tap} {name}"):
                    self.assertIn(f"[{how.section}] `{how.key or name}` · `--{option_name(name)}`", text)
                    self.assertIn(f"default `{shown}`" if shown else "default: empty", text)
                    self.assertIn(f"--{option_name(name)}=", usage)
                    self.assertIn(" ".join(f"{how.help} [default: {shown}]".split()), usage)

    def test_every_key_of_an_alarm_rule_is_in_the_page(self) -> None:
        conf = (DOCS.parent / "conf" / "lars-reporter.conf").read_text(encoding="utf-8")
        keys = set(re.findall(r"^# (\w+) = ", conf, re.MULTILINE))
        self.assertEqual({key for key in keys if f"| `{key}` |" not in self.page}, set())
        self.assertIn("what", keys)
